// What lies on top of the map: names of domains when seen from afar, and a concept or a link brought forward.

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';
const MOST_FORWARD = 600;
const MOST_NAMES = 28;
const LONGEST_LABEL = 38;
const DOMAIN_SIZE = 15;
const FEWEST_FOR_DOMAINS = 400;

// Names come from documents: cut, and without signs that would turn the text around them.
function label(name) {
  const clean = name.replace(/[\p{Cc}\p{Cf}]/gu, "");
  return clean.length > LONGEST_LABEL ? `${clean.slice(0, LONGEST_LABEL - 1).trimEnd()}…` : clean;
}

// Labels that do not lie on each other: true where there was room.
class Room {
  constructor() {
    this.taken = [];
  }

  take(left, top, width, height) {
    const right = left + width, bottom = top + height;
    if (this.taken.some((one) => left < one[2] && right > one[0] && top < one[3] && bottom > one[1])) return false;
    this.taken.push([left, top, right, bottom]);
    return true;
  }
}

function write(context, text, x, y, size, { weight = 500, colour = theme().ink, room = null, centred = false, force = false, radius = 0 } = {}) {
  context.font = `${weight} ${size}px ${FONT}`;
  const width = context.measureText(text).width;
  let left = centred ? x - width / 2 : x + radius + 4;
  // At the right edge of the map there is no room to the right.
  if (!centred && left + width > context.canvas.clientWidth) left = x - radius - 4 - width;
  if (room && !room.take(left - 3, y - size, width + 6, size * 1.35) && !force) return;
  context.lineJoin = "round";
  context.lineWidth = 4;
  context.strokeStyle = theme().halo;
  context.strokeText(text, left, y);
  context.fillStyle = colour;
  context.fillText(text, left, y);
}

function drawNodeLabel(context, data, room) {
  if (!data.label) return;
  const size = Math.min(15, 11 + data.size / 5);
  write(context, data.label, data.x, data.y + size / 3, size, { room, radius: data.size });
}

class Overlay {
  constructor(model, sigma, view, context) {
    Object.assign(this, { model, sigma, view, context });
    this.target = null;
    this.named = [];
    this.ratio = 1; // of the camera that the picture is drawn with
    this.centres = this.domainCentres();
  }

  // Middle of the members of each of the larger domains.
  domainCentres() {
    const { nodes, domains, order } = this.model;
    const members = domains.map(() => []);
    for (let node = 0; node < order; node++) if (nodes.domain[node] >= 0) members[nodes.domain[node]].push(node);
    const middle = (values) => values.sort((one, other) => one - other)[values.length >> 1];
    return members
      .map((of, domain) => ({ domain, of }))
      .filter(({ of }) => of.length >= Math.max(3, order / 400))
      .slice(0, 24)
      .map(({ domain, of }) => ({
        domain, x: middle(of.map((node) => nodes.x[node])), y: middle(of.map((node) => nodes.y[node])),
      }));
  }

  at(node) {
    const data = this.sigma.getNodeDisplayData(String(node));
    const { x, y } = this.sigma.framedGraphToViewport(data);
    return { x, y, radius: this.sigma.scaleSize(data.size, this.ratio), colour: data.color };
  }

  draw() {
    const { width, height } = this.sigma.getDimensions();
    this.context.clearRect(0, 0, width, height);
    if (this.target) this.forward();
    else this.domains();
  }

  // Which domains are named just now; the room that is left for names of concepts.
  nameDomains() {
    const room = new Room();
    const cameraState = this.sigma.getCamera().getState();
    this.ratio = cameraState.ratio;
    this.named = [];
    if (this.model.order < FEWEST_FOR_DOMAINS || this.ratio < 0.35) return room;
    this.context.font = `650 ${DOMAIN_SIZE}px ${FONT}`;
    for (const centre of this.centres) {
      const { x, y } = this.sigma.graphToViewport(centre, { cameraState });
      const name = label(this.model.domains[centre.domain]);
      const width = this.context.measureText(name).width;
      if (room.take(x - width / 2 - 3, y - DOMAIN_SIZE, width + 6, DOMAIN_SIZE * 1.4)) this.named.push({ ...centre, name });
    }
    return room;
  }

  domains() {
    this.context.globalAlpha = Math.min(1, (this.ratio - 0.35) * 4);
    for (const { domain, name, x, y } of this.named) {
      const at = this.sigma.graphToViewport({ x, y });
      const colour = this.view.byCredibility ? theme().ink : domainColour(domain);
      write(this.context, name, at.x, at.y, DOMAIN_SIZE, { weight: 650, colour, centred: true });
    }
    this.context.globalAlpha = 1;
  }

  forward() {
    const { model, target } = this;
    let links, centre;
    if (target.link !== undefined) {
      links = [target.link];
      centre = [model.links.cause[target.link], model.links.effect[target.link]];
    } else {
      centre = [target.node];
      links = [...model.causes[target.node], ...model.effects[target.node]].filter((link) => this.view.passes(link));
      links.sort((one, other) => one - other); // the most credible come first
      links = links.slice(0, MOST_FORWARD);
    }
    for (const link of [...links].reverse()) this.line(link, target.link !== undefined);
    const near = new Set(links.flatMap((link) => [model.links.cause[link], model.links.effect[link]]));
    for (const node of centre) near.delete(node);
    for (const node of near) this.disc(node, false);
    for (const node of centre) this.disc(node, true);
    const room = new Room();
    const name = (node, settings) => {
      const { x, y, radius } = this.at(node);
      write(this.context, label(model.nodes.name[node]), x, y + 4, settings.size, { ...settings, room, radius });
    };
    for (const node of centre) name(node, { size: 14, weight: 700, force: true });
    [...near].slice(0, MOST_NAMES).forEach((node) => name(node, { size: 12 }));
  }

  disc(node, chosen) {
    const { x, y, radius, colour } = this.at(node);
    this.context.beginPath();
    this.context.arc(x, y, Math.max(radius, 3), 0, 2 * Math.PI);
    this.context.fillStyle = colour;
    this.context.fill();
    this.context.lineWidth = chosen ? 3 : 1.2;
    this.context.strokeStyle = chosen ? theme().ink : theme().halo;
    this.context.stroke();
  }

  line(link, alone) {
    const { model, context } = this;
    const from = this.at(model.links.cause[link]), to = this.at(model.links.effect[link]);
    const length = Math.hypot(to.x - from.x, to.y - from.y);
    if (length < 2) return;
    const along = [(to.x - from.x) / length, (to.y - from.y) / length], across = [-along[1], along[0]];
    const credibility = model.links.credibility[link];
    const width = (alone ? 2.5 : 1) + 1.5 * credibility + (model.links.conflict[link] ? 0.8 : 0);
    const shift = model.reverse(link) === undefined ? 0 : 1 + 1.4 * width;
    const end = length - Math.max(to.radius, 3) - 2;
    const on = (distance, aside) => [
      from.x + along[0] * distance - across[0] * (aside + shift), from.y + along[1] * distance - across[1] * (aside + shift),
    ];
    const denied = model.onlyDenied(link), sign = denied ? 0 : model.sign(link);
    const colour = this.view.linkColour(link);
    context.globalAlpha = 0.45 + 0.55 * credibility;
    context.strokeStyle = context.fillStyle = colour;
    context.lineWidth = width;
    context.setLineDash(model.links.conflict[link] ? [7, 4] : denied ? [2, 4] : []);
    const head = Math.min(5 + 2.4 * width, Math.max(end, 1));
    context.beginPath();
    context.moveTo(...on(0, 0));
    context.lineTo(...on(sign > 0 ? end - head : end, 0));
    context.stroke();
    context.setLineDash([]);
    if (sign) {
      context.beginPath();
      if (sign > 0) {
        context.moveTo(...on(end, 0));
        context.lineTo(...on(end - head, head * 0.55));
        context.lineTo(...on(end - head, -head * 0.55));
        context.fill();
      } else {
        context.moveTo(...on(end, head * 0.6));
        context.lineTo(...on(end, -head * 0.6));
        context.lineWidth = width + 1;
        context.stroke();
      }
    }
    context.globalAlpha = 1;
  }
}
