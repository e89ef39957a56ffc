// The panel: an overview, a concept, or a link with the words it rests on. Whatever documents said is written as text.

const AT_FIRST = 40;

function make(tag, settings = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) {
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") Object.assign(element.style, value);
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

// Somebody else's words: in a direction of their own.
function words(text, settings = {}) {
  return make("bdi", { dir: "auto", ...settings }, text);
}

class Panels {
  constructor(model, element, { onNode, onLink, onClose }) {
    Object.assign(this, { model, element, onNode, onLink, onClose });
    this.turn = 0;
  }

  put(heading, ...children) {
    this.turn++;
    const close = heading
      ? [make("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => this.onClose() }, "×")]
      : [];
    this.element.replaceChildren(...close, ...[heading, ...children].filter(Boolean));
    this.element.scrollTop = 0;
  }

  overview() {
    const { model } = this;
    const strongest = Array.from({ length: model.order }, (_, node) => node)
      .sort((one, other) => model.strength[other] - model.strength[one] || one - other);
    const disputed = [];
    for (let link = 0; link < model.size; link++) if (model.links.conflict[link]) disputed.push(link);
    const weaker = (link) => {
      const { positive, negative, denied, claims } = model.links;
      return Math.max(Math.min(positive[link], negative[link]), Math.min(denied[link], claims[link] - denied[link]));
    };
    disputed.sort((one, other) => weaker(other) - weaker(one) || one - other);
    this.put(
      null,
      make("h2", {}, "Where to begin"),
      make("p", { class: "quiet" }, "Click a concept for its causes and effects, or a link for the words it rests on."),
      make("h3", {}, "Best connected concepts"),
      this.list(strongest, (node) => this.nodeRow(node), 12),
      make("h3", {}, `Contested links (${disputed.length.toLocaleString("en")})`),
      disputed.length
        ? this.list(disputed, (link) => this.linkRow(link, "both"), 12)
        : make("p", { class: "quiet" }, "No two claims disagree."),
    );
  }

  node(node) {
    const { model } = this;
    const { name, phrases, domain, incoming, outgoing } = model.nodes;
    const side = (title, links, all, other) => [
      make("h3", {}, `${title} (${links.length.toLocaleString("en")}${all > links.length ? ` of ${all.toLocaleString("en")}` : ""})`),
      links.length
        ? this.list(links, (link) => this.linkRow(link, other), AT_FIRST)
        : make("p", { class: "quiet" }, "None on this map."),
    ];
    this.put(
      make("h2", {}, words(name[node])),
      domain[node] >= 0
        ? make("p", { class: "quiet" }, make("span", { class: "dot", style: { background: domainColour(domain[node]) } }),
            words(model.domains[domain[node]]))
        : null,
      phrases[node].length
        ? make("p", { class: "quiet" }, "Also: ", ...phrases[node].flatMap((phrase, at) => [at ? "; " : "", words(phrase)]))
        : null,
      ...side("Causes", model.causes[node], incoming[node], "cause"),
      ...side("Effects", model.effects[node], outgoing[node], "effect"),
    );
  }

  link(link) {
    const { model } = this;
    const of = (name) => model.links[name][link];
    const end = (node) => make("button", { type: "button", class: "end", onclick: () => this.onNode(node) },
      words(model.nodes.name[node]));
    const counted = make("dl", { class: "counts" });
    const rows = [
      ["Raises (+)", of("positive")], ["Lowers (−)", of("negative")], ["No direction", of("unsigned")],
      ["Denied", of("denied")], ["Hedged", of("hedged")], ["Claims", of("claims")], ["Documents", of("documents")],
      ["Independent sources", of("sources")],
    ];
    for (const [name, value] of rows) {
      counted.append(make("div", value ? {} : { class: "none" }, make("dt", {}, name), make("dd", {}, value.toLocaleString("en"))));
    }
    const conflicts = model.conflicts(link);
    const reverse = model.reverse(link);
    const explained = make("p", { class: "explained" });
    const said = make("div", { class: "quotes", "aria-busy": "true" });
    this.put(
      make("h2", { class: "pair" }, end(of("cause")), make("span", { class: `verb ${this.signClass(link)}` },
        make("b", { "aria-hidden": "true" }, model.glyph(link)), ` ${model.verb(link)} `), end(of("effect"))),
      this.meter(of("credibility"), "Credibility"),
      explained,
      conflicts.length
        ? make("div", { class: "contested-box" }, make("strong", {}, "Contested"),
            ...conflicts.map((conflict) => make("p", {}, conflict)),
            reverse === undefined ? null
              : make("button", { type: "button", class: "plain", onclick: () => this.onLink(reverse) }, "See the other direction"))
        : null,
      counted,
      make("h3", {}, "What the documents say"),
      said,
    );
    this.quotes(link, said, explained);
  }

  async quotes(link, into, explained) {
    const turn = this.turn;
    const [[quotes, inWords], documents] = await Promise.all([this.model.quotes(link), part("documents")]);
    if (turn !== this.turn) return; // something else is shown by now
    explained.textContent = inWords;
    into.removeAttribute("aria-busy");
    into.replaceChildren(...quotes.map((quote) => this.quote(quote, documents)));
    const claims = this.model.links.claims[link];
    if (claims > quotes.length) {
      into.append(make("p", { class: "quiet" }, `${quotes.length} of ${count(claims, "claim")}; repeated words once, every side of a disagreement heard.`));
    }
    document.documentElement.dataset.quotes = String(quotes.length);
  }

  quote(quote, documents) {
    const [document_, start, end, shown, causeFrom, causeTo, effectFrom, effectTo, way, negated, hedged, evidence, confidence] = quote;
    const [id, title, uri, kind, published] = documents[document_];
    const told = negated ? "denies" : { 1: "raises", [-1]: "lowers", 0: "no direction" }[way];
    const marks = [make("span", { class: `mark ${negated ? "denies" : way > 0 ? "raises" : way < 0 ? "lowers" : ""}` }, told)];
    if (hedged) marks.push(make("span", { class: "mark" }, "hedged"));
    if (evidence !== "unstated") marks.push(make("span", { class: "mark" }, evidence));
    if (kind !== "read" && kind !== evidence) marks.push(make("span", { class: "mark" }, kind));
    if (confidence !== null) marks.push(make("span", { class: "mark soft" }, `read with ${Math.round(confidence * 100)} % confidence`));
    // Offsets count characters, which JavaScript counts otherwise.
    const letters = Array.from(shown);
    const spans = [[causeFrom, causeTo, "cause"], [effectFrom, effectTo, "effect"]]
      .filter(([from, to]) => from >= 0 && to <= letters.length && from < to)
      .sort((one, other) => one[0] - other[0]);
    const text = [];
    let at = 0;
    for (const [from, to, role] of spans) {
      if (from < at) continue;
      text.push(letters.slice(at, from).join(""), make("mark", { class: role, title: role }, letters.slice(from, to).join("")));
      at = to;
    }
    text.push(letters.slice(at).join(""));
    const cut = end - start > letters.length;
    return make("figure", {},
      make("blockquote", { dir: "auto" }, ...text, cut ? make("span", { class: "quiet" }, ` … (${(end - start).toLocaleString("en")} characters in all)`) : null),
      make("figcaption", {},
        make("div", {}, words(title || id, { class: "title" }), published ? make("span", { class: "quiet" }, " · ", words(published)) : null),
        make("div", { class: "quiet" }, `characters ${start.toLocaleString("en")}–${end.toLocaleString("en")}`),
        uri ? make("div", { class: "quiet uri" }, words(uri)) : null,
        make("div", { class: "marks" }, ...marks)));
  }

  signClass(link) {
    if (this.model.onlyDenied(link)) return "denies";
    return { 1: "raises", [-1]: "lowers", 0: "plainly" }[this.model.sign(link)];
  }

  meter(value, name) {
    return make("div", { class: "meter" }, make("span", {}, name), make("span", { class: "bar", "aria-hidden": "true" },
      make("i", { style: { width: `${value * 100}%` } })), make("b", {}, value.toFixed(2)));
  }

  nodeRow(node) {
    return make("button", { type: "button", class: "rowbutton", onclick: () => this.onNode(node) },
      make("span", { class: "dot", style: { background: domainColour(this.model.nodes.domain[node]) } }),
      words(this.model.nodes.name[node], { class: "grow" }),
      make("span", { class: "quiet" }, count(this.model.causes[node].length + this.model.effects[node].length, "link")));
  }

  linkRow(link, other) {
    const { model } = this;
    const name = (side) => words(model.nodes.name[model.links[side][link]]);
    const text = other === "both" ? make("span", { class: "grow" }, name("cause"), ` ${model.verb(link)} `, name("effect"))
      : make("span", { class: "grow" }, name(other));
    const tone = this.signClass(link);
    return make("button", { type: "button", class: "rowbutton", onclick: () => this.onLink(link) },
      make("span", { class: `glyph ${tone}`, title: model.verb(link) }, model.glyph(link), make("span", { class: "unseen" }, ` ${model.verb(link)}`)),
      text,
      model.links.conflict[link] ? make("span", { class: "mark contested" }, "contested") : null,
      make("span", { class: "score", title: "credibility" }, model.links.credibility[link].toFixed(2)));
  }

  // A list that shows the first, and the rest when asked.
  list(items, row, first) {
    const list = make("ul", { class: "rows" });
    const more = (from, to) => {
      list.append(...items.slice(from, to).map((item) => make("li", {}, row(item))));
      if (to >= items.length) return;
      const button = make("button", { type: "button", class: "plain", onclick: () => {
        button.parentElement.remove();
        more(to, to + 200);
      } }, `${(items.length - to).toLocaleString("en")} more`);
      list.append(make("li", {}, button));
    };
    more(0, first);
    return list;
  }
}
