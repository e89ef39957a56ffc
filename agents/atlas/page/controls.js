// What stands beside the map: colours, filters, the legend, and what the map leaves out.

const SVG = "http://www.w3.org/2000/svg";

function drawing(width, height, ...shapes) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("width", width);
  svg.setAttribute("height", height);
  svg.setAttribute("aria-hidden", "true");
  for (const [tag, settings] of shapes) {
    const shape = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(settings)) shape.setAttribute(name, value);
    svg.append(shape);
  }
  return svg;
}

function icon(path) {
  return drawing(18, 18, ["path", { d: path, fill: "none", stroke: "currentColor", "stroke-width": 1.8, "stroke-linecap": "round" }]);
}

const ICONS = {
  closer: "M9 3v12M3 9h12", farther: "M3 9h12", whole: "M3 7V3h4M11 3h4v4M15 11v4h-4M7 15H3v-4",
  theme: "M9 2.5a6.5 6.5 0 1 0 0 13zM9 2.5a6.5 6.5 0 0 1 0 13",
};

class Controls {
  constructor(model, map) {
    Object.assign(this, { model, map });
    this.byCredibility = false;
    for (const [name, path] of Object.entries(ICONS)) at(name).append(icon(path));
    at("theme").addEventListener("click", () => this.setTheme(!dark));
    if (map) {
      at("closer").addEventListener("click", () => map.zoom(1.6));
      at("farther").addEventListener("click", () => map.zoom(1 / 1.6));
      at("whole").addEventListener("click", () => map.whole());
      for (const input of document.getElementsByName("colour")) {
        input.addEventListener("change", () => this.setColour(input.value));
      }
      at("least").addEventListener("input", () => this.filter());
      at("contested").addEventListener("change", () => this.filter());
      for (const input of document.getElementsByName("kind")) input.addEventListener("change", () => this.filter());
    } else {
      at("settings").hidden = true;
      for (const name of ["closer", "farther", "whole"]) at(name).hidden = true;
    }
    if (innerWidth < 760) at("settings").open = false;
    this.setTheme(dark);
    this.leftOut();
    if (map) this.filter();
  }

  setTheme(wanted) {
    dark = wanted;
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    this.legend();
    if (this.map) this.map.recolour();
    this.onTheme?.();
  }

  setColour(value) {
    this.byCredibility = value === "credibility";
    for (const input of document.getElementsByName("colour")) input.checked = input.value === value;
    this.map.view.byCredibility = this.byCredibility;
    this.map.recolour();
    this.legend();
  }

  filter() {
    const bits = { read: READ, elicited: ELICITED, measured: MEASURED };
    const kinds = [...document.getElementsByName("kind")].filter((input) => input.checked);
    this.map.filter({
      least: Number(at("least").value), contested: at("contested").checked,
      kinds: kinds.reduce((sum, input) => sum | bits[input.value], 0),
    });
    at("least-said").textContent = Number(at("least").value).toFixed(2);
    let shown = 0;
    for (let link = 0; link < this.model.size; link++) if (this.map.passes(link)) shown++;
    at("shown").textContent = `${shown.toLocaleString("en")} of ${count(this.model.size, "link")} shown`;
    document.documentElement.dataset.shown = String(shown);
  }

  legend() {
    const colours = theme();
    const line = (colour, head, dash = "") => drawing(46, 16,
      ["line", { x1: 2, y1: 8, x2: head === "arrow" ? 36 : 42, y2: 8, stroke: colour, "stroke-width": dash === "7 4" ? 3.2 : 2.2, "stroke-dasharray": dash }],
      ...(head === "arrow" ? [["path", { d: "M44 8 L34 3 L34 13 Z", fill: colour }]] : []),
      ...(head === "bar" ? [["line", { x1: 42, y1: 2, x2: 42, y2: 14, stroke: colour, "stroke-width": 3 }]] : []));
    const row = (picture, text) => make("li", {}, picture, make("span", {}, text));
    const of = (name) => (this.byCredibility ? colours.strong : colours[name]);
    const lines = make("ul", { class: "legend" },
      row(line(of("raises"), "arrow"), "raises (+)"), row(line(of("lowers"), "bar"), "lowers (−)"),
      row(line(of("plain"), ""), "no direction stated"), row(line(of("contested"), "arrow", "7 4"), "contested: claims disagree"),
      row(line(of("plain"), "", "2 4"), "only denied"));
    const rest = this.byCredibility ? this.scale() : this.domains();
    at("legend").replaceChildren(make("h3", {}, "Links"), lines, make("h3", {}, this.byCredibility ? "Credibility" : "Domains"), rest);
  }

  scale() {
    const stops = [0, 0.25, 0.5, 0.75, 1].map((value) => credibilityColour(value));
    return make("div", { class: "scale" }, make("span", {}, "0"),
      make("i", { style: { background: `linear-gradient(to right, ${stops.join(", ")})` } }), make("span", {}, "1"),
      make("p", { class: "quiet" }, "Concepts: their most credible link."));
  }

  domains() {
    const { domains, nodes } = this.model;
    const sizes = domains.map(() => 0);
    let others = 0;
    for (const domain of nodes.domain) {
      if (domain >= 0 && domain < DOMAINS_IN_COLOUR) sizes[domain]++;
      else others++;
    }
    const row = (colour, text, size) => make("li", {}, make("span", { class: "dot", style: { background: colour } }),
      words(text, { class: "grow" }), make("span", { class: "quiet" }, size.toLocaleString("en")));
    return make("ul", { class: "legend" },
      ...domains.slice(0, DOMAINS_IN_COLOUR).map((name, domain) => row(domainColour(domain), name, sizes[domain])),
      others ? row(theme().other, "other", others) : null);
  }

  leftOut() {
    const { about, order, size } = this.model;
    const shown = `${count(order, "concept")}, ${count(size, "link")}`;
    at("about").replaceChildren(words(about.store), ` · ${shown}`);
    const notes = [];
    if (about.allNodes > order) {
      notes.push(`Left out: ${count(about.allNodes - order, "concept")} of ${about.allNodes.toLocaleString("en")}. Shown are those whose links are most credible in sum.`);
    }
    if (about.allLinks > size) {
      notes.push(`Left out: ${count(about.allLinks - size, "link")} of ${about.allLinks.toLocaleString("en")}. Shown are the most credible between the concepts shown.`);
    }
    if (about.unwoven) notes.push(`${count(about.unwoven, "claim")} changed since the model was woven; not shown here.`);
    if (about.domainsFound) notes.push("Domains are groups of concepts that are linked more with each other than with the rest.");
    notes.push(`Written by Leucippus ${about.version}.`);
    at("left-out").replaceChildren(...notes.map((note) => make("p", {}, note)));
  }
}
