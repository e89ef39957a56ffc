// The map itself: sigma draws concepts and links, the overlay what is brought forward.

const CALM = matchMedia("(prefers-reduced-motion: reduce)");

function webglWorks() {
  if (typeof Sigma === "undefined") return false;
  const context = document.createElement("canvas").getContext("webgl2") || document.createElement("canvas").getContext("webgl");
  return Boolean(context);
}

class AtlasMap {
  // `onNode(node)`, `onLink(link)`, `onGround()`: what was clicked.
  constructor(model, element, { onNode, onLink, onGround }) {
    this.model = model;
    this.element = element;
    this.chosen = null;
    this.hovered = null;
    this.view = {
      least: 0, contested: false, kinds: READ | ELICITED | MEASURED, byCredibility: false, dense: model.size > 2000,
      // A few links may be bold; thousands have to be faint to be seen through.
      opacity: Math.max(0.13, Math.min(0.85, 14 / Math.sqrt(model.size + 1))),
      passes: (link) => this.passes(link),
      linkColour: (link) => this.linkColour(link),
    };
    this.room = new Room();
    this.painted = `${dark} false`;
    this.sigma = new Sigma(this.graph(), element, {
      defaultEdgeType: "link",
      edgeProgramClasses: { link: linkProgram(this.view) },
      nodeProgramClasses: { circle: spread(Sigma.rendering.NodeCircleProgram) },
      enableEdgeEvents: true,
      defaultDrawNodeLabel: (context, data) => drawNodeLabel(context, data, this.room),
      defaultDrawNodeHover: () => {},
      labelDensity: 0.6,
      labelGridCellSize: 110,
      labelRenderedSizeThreshold: model.order > 300 ? 7 : 3,
      minCameraRatio: 0.004,
      maxCameraRatio: 2.5,
      stagePadding: 48,
      zIndex: false,
      allowInvalidContainer: true,
    });
    this.sigma.createCanvasContext("forward", { beforeLayer: "mouse", style: { pointerEvents: "none" } });
    this.sigma.pickingLayers.clear();
    this.picking = new Picking(model, this.sigma, this.view);
    this.sigma.resize(true);
    this.overlay = new Overlay(model, this.sigma, this.view, this.sigma.canvasContexts.forward);
    this.sigma.on("beforeRender", () => { this.room = this.overlay.nameDomains(); });
    this.sigma.on("afterRender", () => this.overlay.draw());
    this.motion = new Motion(this.sigma);
    this.sigma.on("enterNode", ({ node }) => this.hover({ node: Number(node) }));
    this.sigma.on("leaveNode", () => this.hover(null));
    this.sigma.on("enterEdge", ({ edge }) => this.hover({ link: Number(edge) }));
    this.sigma.on("leaveEdge", () => this.hover(null));
    this.sigma.on("clickNode", ({ node }) => onNode(Number(node)));
    this.sigma.on("clickEdge", ({ edge }) => this.passes(Number(edge)) && onLink(Number(edge)));
    this.sigma.on("clickStage", () => onGround());
    new ResizeObserver(() => {
      // Canvases of a new size are empty: they are filled before they are seen.
      this.sigma.render();
    }).observe(element);
  }

  graph() {
    const { model } = this;
    const graph = new graphology.DirectedGraph({ allowSelfLoops: false });
    const largest = model.strength.reduce((most, one) => Math.max(most, one), 1e-9);
    const [small, large] = model.order > 5000 ? [0.9, 11] : model.order > 500 ? [2.2, 13] : [3.5, 13];
    for (let node = 0; node < model.order; node++) {
      graph.addNode(String(node), {
        x: model.nodes.x[node], y: model.nodes.y[node], label: label(model.nodes.name[node]),
        size: small + (large - small) * Math.sqrt(model.strength[node] / largest), color: this.nodeColour(node),
      });
    }
    const thin = model.size > 5000 ? 0.6 : 1.2;
    for (let link = 0; link < model.size; link++) {
      const credibility = model.links.credibility[link];
      graph.addEdgeWithKey(String(link), String(model.links.cause[link]), String(model.links.effect[link]), {
        size: thin + 1.6 * credibility, credibility, flags: linkFlags(model, link),
      });
    }
    return graph;
  }

  passes(link) {
    const { least, contested, kinds } = this.view;
    const { credibility, conflict } = this.model.links;
    return credibility[link] >= least && (!contested || conflict[link] > 0) && (this.model.kinds[link] & kinds) > 0;
  }

  nodeColour(node) {
    return this.view?.byCredibility ? credibilityColour(this.model.best[node]) : domainColour(this.model.nodes.domain[node]);
  }

  linkColour(link) {
    if (this.view.byCredibility) return credibilityColour(this.model.links.credibility[link]);
    if (this.model.links.conflict[link]) return theme().contested;
    if (this.model.onlyDenied(link)) return theme().plain;
    return { 1: theme().raises, [-1]: theme().lowers, 0: theme().plain }[this.model.sign(link)];
  }

  recolour() {
    const painted = `${dark} ${this.view.byCredibility}`;
    if (painted === this.painted) return;
    this.painted = painted;
    this.sigma.getGraph().updateEachNodeAttributes((node, of) => ({ ...of, color: this.nodeColour(Number(node)) }), {
      attributes: ["color"],
    });
    this.sigma.refresh({ skipIndexation: true, schedule: true });
  }

  filter(changes) {
    Object.assign(this.view, changes);
    this.sigma.scheduleRender();
  }

  hover(target) {
    if (target && target.link !== undefined && !this.passes(target.link)) return;
    this.hovered = target;
    this.element.style.cursor = target ? "pointer" : "";
    this.bringForward();
  }

  choose(target) {
    this.chosen = target;
    this.hovered = null;
    this.bringForward();
  }

  bringForward() {
    this.overlay.target = this.hovered || this.chosen;
    this.element.classList.toggle("receded", Boolean(this.overlay.target));
    this.overlay.draw();
  }

  // So that these nodes and what is close to them fill a good part of the map.
  goTo(nodes) {
    const at = nodes.map((node) => this.sigma.getNodeDisplayData(String(node)));
    const middle = (axis) => at.reduce((sum, one) => sum + one[axis], 0) / at.length;
    const span = Math.max(...["x", "y"].map((axis) => Math.max(...at.map((one) => Math.abs(one[axis] - middle(axis))))));
    // Closer than this a few large discs would fill the map.
    const least = Math.min(0.5, 4 / Math.sqrt(this.model.order));
    const ratio = Math.min(1.2, Math.max(least, span * 3.2));
    this.move({ x: middle("x"), y: middle("y"), ratio, angle: 0 });
  }

  whole() {
    this.move({ x: 0.5, y: 0.5, ratio: 1, angle: 0 });
  }

  zoom(factor) {
    this.move({ ratio: this.sigma.getCamera().getBoundedRatio(this.sigma.getCamera().ratio / factor) });
  }

  move(state) {
    const camera = this.sigma.getCamera();
    if (CALM.matches) camera.setState(state);
    else camera.animate(state, { duration: 450 });
  }
}
