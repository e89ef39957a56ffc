// Colours of the map, light and dark. Signs and conflicts are told by shape as well, never by colour alone.

const DOMAINS_IN_COLOUR = 20;

const THEMES = {
  light: {
    ground: "#fbfbf9", ink: "#20242b", halo: "#fbfbf9", faint: "#5c6470",
    raises: "#2c6fb0", lowers: "#c2562f", plain: "#7d838c", contested: "#9b2f8f", weak: "#cfd6d8", strong: "#0b5a5a",
    other: "#a9aeb5", pale: "#ffffff",
    domains: ["#4878a8", "#d98a3d", "#5b9a68", "#b85c5f", "#8069a8", "#957157", "#c97ba6", "#6f7f3f", "#3f9aa5", "#b3962f"],
  },
  dark: {
    ground: "#14171c", ink: "#e7e9ec", halo: "#14171c", faint: "#a2a9b4",
    raises: "#6fb0ec", lowers: "#ef8a63", plain: "#8b929c", contested: "#e58ad8", weak: "#3a444a", strong: "#6fe0cf",
    other: "#767d87", pale: "#14171c",
    domains: ["#7ba7d6", "#e9a765", "#84bd90", "#db8688", "#a894d3", "#b99a80", "#dfa0c4", "#a3b26b", "#6fc0ca", "#d3b957"],
  },
};

let dark = matchMedia("(prefers-color-scheme: dark)").matches;

function theme() {
  return THEMES[dark ? "dark" : "light"];
}

function domainColour(domain) {
  if (domain < 0 || domain >= DOMAINS_IN_COLOUR) return theme().other;
  const hues = theme().domains;
  // The second ten are the first ten again, paler by day and deeper by night.
  return domain < hues.length ? hues[domain] : mixed(hues[domain - hues.length], theme().pale, 0.42);
}

function channels(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

// One colour with a share of another.
function mixed(one, other, share) {
  const to = channels(other);
  const between = channels(one).map((from, at) => Math.round(from + (to[at] - from) * share));
  return `#${between.map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;
}

// Between the colours of no and of full credibility.
function credibilityColour(credibility) {
  return mixed(theme().weak, theme().strong, credibility);
}
