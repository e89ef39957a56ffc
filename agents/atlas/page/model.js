// The large causal model as the page has it, and what its counts say in words.

const SIGN_AND_OPPOSITE = 1, ASSERTED_AND_DENIED = 2, BOTH_WAYS = 4;
const READ = 1, ELICITED = 2, MEASURED = 4;

class Model {
  constructor(graph) {
    this.about = graph.about;
    this.nodes = graph.nodes;
    this.links = graph.links;
    this.domains = graph.domains;
    this.order = this.nodes.id.length;
    this.size = this.links.cause.length;
    this.numberOf = new Map(this.nodes.id.map((id, at) => [id, at]));
    // Links come the most credible first, so these lists do too.
    this.effects = Array.from({ length: this.order }, () => []);
    this.causes = Array.from({ length: this.order }, () => []);
    this.between = new Map();
    this.strength = new Float64Array(this.order);
    this.best = new Float64Array(this.order);
    this.kinds = new Uint8Array(this.size);
    const { cause, effect, credibility, claims, denied, elicited, measured } = this.links;
    for (let at = 0; at < this.size; at++) {
      this.effects[cause[at]].push(at);
      this.causes[effect[at]].push(at);
      this.between.set(`${cause[at]} ${effect[at]}`, at);
      for (const node of [cause[at], effect[at]]) {
        this.strength[node] += credibility[at];
        if (credibility[at] > this.best[node]) this.best[node] = credibility[at];
      }
      // Evidence is counted for claims that assert a link; what is only denied was read.
      const asserted = claims[at] - denied[at];
      const read = asserted > elicited[at] + measured[at] || !asserted;
      this.kinds[at] = (read ? READ : 0) | (elicited[at] ? ELICITED : 0) | (measured[at] ? MEASURED : 0);
    }
  }

  // 1 raises, -1 lowers, 0 neither or as often the one as the other.
  sign(link) {
    return Math.sign(this.links.positive[link] - this.links.negative[link]);
  }

  onlyDenied(link) {
    return this.links.denied[link] === this.links.claims[link];
  }

  reverse(link) {
    return this.between.get(`${this.links.effect[link]} ${this.links.cause[link]}`);
  }

  async quotes(link) {
    const chunk = await part(`quotes-${Math.floor(link / this.about.chunk)}`);
    return chunk[link % this.about.chunk];
  }

  verb(link) {
    if (this.onlyDenied(link)) return "is said not to affect";
    return { 1: "raises", [-1]: "lowers", 0: "affects" }[this.sign(link)];
  }

  glyph(link) {
    if (this.onlyDenied(link)) return "×";
    return { 1: "+", [-1]: "−", 0: "·" }[this.sign(link)];
  }

  // What claims disagree about, a sentence each.
  conflicts(link) {
    const of = (name) => this.links[name][link];
    const found = [];
    if (of("conflict") & SIGN_AND_OPPOSITE) {
      found.push(`${says(of("positive"))} it raises, ${says(of("negative"))} it lowers.`);
    }
    if (of("conflict") & ASSERTED_AND_DENIED) {
      found.push(`${says(of("claims") - of("denied"))} there is an effect, ${says(of("denied"))} there is none.`);
    }
    if (of("conflict") & BOTH_WAYS) found.push("The other direction is claimed as well.");
    return found;
  }
}

function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

function says(number) {
  return `${count(number, "claim")} ${number === 1 ? "says" : "say"}`;
}
