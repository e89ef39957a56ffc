// Search by name or by other phrases of a concept, with the keyboard alone if wanted.

const MOST_FOUND = 12;

function folded(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

class Search {
  // `onNode(node)`: what was taken; `onTaken()`: the search is done.
  constructor(model, input, list, { onNode, onTaken }) {
    Object.assign(this, { model, input, list, onNode, onTaken });
    this.names = model.nodes.name.map(folded);
    this.phrases = model.nodes.phrases.map((phrases) => phrases.map(folded));
    this.active = -1;
    this.found = [];
    input.addEventListener("input", () => this.suggest());
    input.addEventListener("focus", () => this.suggest());
    input.addEventListener("keydown", (event) => this.key(event));
    input.addEventListener("blur", () => setTimeout(() => this.close(), 120));
  }

  // The best first: the name itself, its beginning, a word's beginning, anywhere; of equals the best connected.
  find(text) {
    const wanted = folded(text.trim());
    if (!wanted) return [];
    const fit = (name) => {
      const at = name.indexOf(wanted);
      if (at < 0) return 9;
      return name === wanted ? 0 : at === 0 ? 1 : name[at - 1] === " " ? 2 : 3;
    };
    const ranked = [];
    this.names.forEach((name, node) => {
      let [rank, phrase] = [fit(name), null];
      this.phrases[node].forEach((other, at) => {
        if (fit(other) + 0.5 < rank) [rank, phrase] = [fit(other) + 0.5, at];
      });
      if (rank < 9) ranked.push({ node, rank, phrase });
    });
    const { strength } = this.model;
    ranked.sort((one, other) => one.rank - other.rank || strength[other.node] - strength[one.node] || one.node - other.node);
    return ranked.slice(0, MOST_FOUND);
  }

  suggest() {
    this.found = this.find(this.input.value);
    this.active = this.found.length ? 0 : -1;
    const rows = this.found.map(({ node, phrase }, at) => make("li",
      { role: "option", id: `suggestion-${at}`, onmousedown: (event) => { event.preventDefault(); this.take(at); } },
      words(this.model.nodes.name[node], { class: "grow" }),
      phrase === null ? null : make("span", { class: "quiet" }, "also ", words(this.model.nodes.phrases[node][phrase]))));
    if (!rows.length && this.input.value.trim()) rows.push(make("li", { class: "quiet" }, "No concept of that name on this map."));
    this.list.replaceChildren(...rows);
    this.list.hidden = !rows.length;
    this.input.setAttribute("aria-expanded", String(rows.length > 0));
    this.mark();
  }

  mark() {
    [...this.list.children].forEach((row, at) => row.setAttribute("aria-selected", String(at === this.active)));
    if (this.active >= 0) {
      this.input.setAttribute("aria-activedescendant", `suggestion-${this.active}`);
      this.list.children[this.active].scrollIntoView({ block: "nearest" });
    } else this.input.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.found.length) {
      this.active = (this.active + step + this.found.length) % this.found.length;
      this.mark();
    } else if (event.key === "Enter" && this.active >= 0) this.take(this.active);
    else if (event.key === "Escape") {
      if (this.list.hidden) this.input.value = "";
      this.close();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  take(at) {
    const { node } = this.found[at];
    this.close();
    this.onNode(node);
    this.onTaken();
  }

  close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
  }
}
