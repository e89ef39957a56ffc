// Everything together. What is shown is in the address after #, so that a place can be bookmarked:
// node=ID, edge=CAUSE:EFFECT, search=TEXT, colour=credibility, least=0.5, contested=1, theme=dark.

function at(id) {
  return document.getElementById(id);
}

function fail(problem) {
  document.documentElement.dataset.error = String(problem);
  at("notice").textContent = `The page could not be built: ${problem}`;
  at("notice").hidden = false;
}

window.addEventListener("error", (event) => fail(event.message));
window.addEventListener("unhandledrejection", (event) => fail(event.reason));

async function start() {
  if (typeof DecompressionStream === "undefined") {
    fail("this browser cannot unpack gzip; any from 2023 on can.");
    return;
  }
  const model = new Model(await part("graph"));
  document.title = `Causal atlas · ${model.about.store}`;
  const works = webglWorks();
  let map = null;

  const remember = (text) => {
    try {
      history.replaceState(null, "", text ? `#${text}` : "#");
    } catch {
      // Some browsers do not let a file change its address.
    }
  };
  const showNode = (node, move = true) => {
    panels.node(node);
    document.body.classList.add("with-detail");
    if (map) {
      map.choose({ node });
      if (move) requestAnimationFrame(() => map.goTo([node, ...[...model.causes[node], ...model.effects[node]].slice(0, 12)
        .flatMap((link) => [model.links.cause[link], model.links.effect[link]])]));
    }
    remember(`node=${model.nodes.id[node]}`);
  };
  const showLink = (link, move = true) => {
    panels.link(link);
    document.body.classList.add("with-detail");
    const ends = [model.links.cause[link], model.links.effect[link]];
    if (map) {
      map.choose({ link });
      if (move) requestAnimationFrame(() => map.goTo(ends));
    }
    remember(`edge=${ends.map((node) => model.nodes.id[node]).join(":")}`);
  };
  const showOverview = () => {
    panels.overview();
    document.body.classList.remove("with-detail");
    if (map) map.choose(null);
    remember("");
  };
  const panels = new Panels(model, at("panel"), { onNode: showNode, onLink: showLink, onClose: showOverview });
  if (works) {
    map = new AtlasMap(model, at("map"), {
      onNode: (node) => showNode(node, false), onLink: (link) => showLink(link, false), onGround: showOverview,
    });
  } else {
    at("notice").textContent = "This browser offers no WebGL, so the map cannot be drawn. Search and the panel work all the same.";
    at("notice").hidden = false;
  }
  const controls = new Controls(model, map);
  const search = new Search(model, at("search"), at("suggestions"), {
    onNode: (node) => showNode(node), onTaken: () => at("panel").focus({ preventScroll: true }),
  });

  const follow = () => {
    const asked = new URLSearchParams(location.hash.slice(1));
    if (asked.has("theme")) controls.setTheme(asked.get("theme") === "dark");
    if (map && asked.has("colour")) controls.setColour(asked.get("colour") === "credibility" ? "credibility" : "domain");
    if (map && (asked.has("least") || asked.has("contested"))) {
      at("least").value = asked.get("least") ?? at("least").value;
      at("contested").checked = asked.get("contested") === "1";
      controls.filter();
    }
    const node = model.numberOf.get(asked.get("node"));
    const ends = (asked.get("edge") ?? "").split(":").map((id) => model.numberOf.get(id));
    const link = model.between.get(ends.join(" "));
    if (link !== undefined) showLink(link);
    else if (node !== undefined) showNode(node);
    else showOverview();
    if (asked.has("search")) {
      at("search").value = asked.get("search");
      search.suggest();
    }
  };
  window.addEventListener("hashchange", follow);
  document.addEventListener("keydown", (event) => {
    if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey) return;
    const action = {
      "/": () => at("search").focus(), Escape: showOverview, "0": () => map?.whole(),
      "+": () => map?.zoom(1.6), "=": () => map?.zoom(1.6), "-": () => map?.zoom(1 / 1.6),
    }[event.key];
    if (!action) return;
    action();
    event.preventDefault();
  });
  follow();
  window.atlas = { model, map };
  requestAnimationFrame(() => requestAnimationFrame(() => {
    document.documentElement.dataset.ready = works ? "map" : "words";
    document.documentElement.dataset.readyAfter = String(Math.round(performance.now()));
  }));
}

start().catch(fail);
