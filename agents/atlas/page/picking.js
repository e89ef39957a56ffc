// What lies under the pointer, reckoned with the camera of this moment. Sigma would draw a second picture for it, of the
// same cost as the first, that is out of date while the map moves.

const NODE_REACH = 2, LINK_REACH = 3; // pixels

class Picking {
  constructor(model, sigma, view) {
    Object.assign(this, { model, sigma, view });
    const nodes = Array.from({ length: model.order }, (_, node) => sigma.getNodeDisplayData(String(node)));
    const column = (name) => Float64Array.from(nodes, (node) => node[name]);
    Object.assign(this, { x: column("x"), y: column("y"), radius: column("size") });
    this.thickness = new Float64Array(model.size);
    this.twin = new Uint8Array(model.size);
    for (let link = 0; link < model.size; link++) {
      this.thickness[link] = sigma.getEdgeDisplayData(String(link)).size;
      this.twin[link] = model.reverse(link) === undefined ? 0 : 1;
    }
    const key = (number) => (number < 0 ? null : String(number));
    sigma.getNodeAtPosition = (point) => key(this.node(point));
    sigma.getEdgeAtPoint = (x, y) => key(this.link({ x, y }));
  }

  // A point of the map in the coordinates of the nodes, and the size of a pixel there.
  place(point) {
    const at = this.sigma.viewportToFramedGraph(point);
    const aside = this.sigma.viewportToFramedGraph({ x: point.x + 1000, y: point.y });
    return { x: at.x, y: at.y, pixel: Math.hypot(aside.x - at.x, aside.y - at.y) / 1000 };
  }

  // The closest node, -1 for none; of those that cover the point the one on top.
  node(point) {
    const { x, y, pixel } = this.place(point);
    const scale = this.sigma.scaleSize(pixel);
    let found = -1, least = NODE_REACH * pixel;
    for (let node = 0; node < this.x.length; node++) {
      const away = Math.max(0, Math.hypot(this.x[node] - x, this.y[node] - y) - this.radius[node] * scale);
      if (away <= least) [found, least] = [node, away];
    }
    return found;
  }

  // The closest link that is shown, -1 for none. Lines lie where the shader of links puts them.
  link(point) {
    const { x, y, pixel } = this.place(point);
    const { cause, effect, conflict } = this.model.links;
    const scale = this.sigma.scaleSize();
    const thicker = this.view.dense ? scale ** 0.35 : scale;
    let found = -1, least = LINK_REACH * pixel;
    for (let link = 0; link < this.model.size; link++) {
      const from = cause[link], to = effect[link];
      const dx = this.x[to] - this.x[from], dy = this.y[to] - this.y[from], length = Math.hypot(dx, dy);
      const along = ((x - this.x[from]) * dx + (y - this.y[from]) * dy) / length;
      if (!(along >= 0 && along <= length - this.radius[to] * scale * pixel)) continue;
      const thickness = Math.max(1, this.thickness[link] * thicker * (conflict[link] ? 1.35 : 1)) * pixel;
      const shift = this.twin[link] * (pixel + 1.4 * thickness);
      const across = ((y - this.y[from]) * dx - (x - this.x[from]) * dy) / length;
      const away = Math.max(0, Math.abs(across - shift) - thickness / 2);
      if (away <= least && this.view.passes(link)) [found, least] = [link, away];
    }
    return found;
  }
}
