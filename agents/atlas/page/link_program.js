// How a link is drawn, in WebGL: an arrow raises, a bar lowers, dashes are contested, dots are only denied.
// Filters and colours are uniforms, so that changing them costs one frame, whatever the size of the map.

const ARROW = 1, BAR = 2;
const DASHED = 1, DOTTED = 2;

// All that the shader needs to know of a link but its credibility, in one number.
function linkFlags(model, link) {
  const sign = model.onlyDenied(link) ? 0 : model.sign(link);
  const head = sign > 0 ? ARROW : sign < 0 ? BAR : 0;
  const pattern = model.links.conflict[link] ? DASHED : model.onlyDenied(link) ? DOTTED : 0;
  const twin = model.reverse(link) === undefined ? 0 : 1;
  return head + 4 * pattern + 16 * twin + 32 * model.kinds[link];
}

const LINK_VERTEX = `
attribute vec2 a_start;
attribute vec2 a_end;
attribute vec4 a_about;    // thickness, radius of the effect, credibility, flags
attribute vec3 a_corner;   // 0 at the cause, 1 where the head begins, 2 at its tip; -1 and 1 across; 1 for the head
uniform mat3 u_matrix;
uniform vec2 u_view;       // pixels
uniform float u_scale;     // pixels of a size of 1
uniform float u_least;
uniform float u_contested;
uniform vec3 u_kinds;
uniform float u_opacity;
uniform float u_dense;     // 1: long lines are fainter, so that what is close can be seen between them
uniform float u_byCredibility;
uniform vec3 u_raises, u_lowers, u_plain, u_dispute, u_weak, u_strong;
varying vec2 v_at;         // pixels from the cause, and across
varying vec4 v_shape;      // end of the line, half its width, kind of head, pattern
varying vec4 v_colour;
uniform highp float u_feather;
varying vec2 v_head;       // length and half width

void main() {
  float bits = a_about.w;
  float head = mod(bits, 4.0); bits = floor(bits / 4.0);
  float pattern = mod(bits, 4.0); bits = floor(bits / 4.0);
  float twin = mod(bits, 2.0); bits = floor(bits / 2.0);
  vec3 kinds = vec3(mod(bits, 2.0), mod(floor(bits / 2.0), 2.0), floor(bits / 4.0));
  bool contested = pattern == 1.0;
  bool shown = a_about.z >= u_least && (u_contested < 0.5 || contested) && dot(kinds, u_kinds) > 0.5;
  vec2 from = (u_matrix * vec3(a_start, 1.0)).xy * u_view * 0.5;
  vec2 to = (u_matrix * vec3(a_end, 1.0)).xy * u_view * 0.5;
  float length_ = length(to - from);
  v_at = vec2(0.0);
  v_shape = v_colour = vec4(0.0);
  v_head = vec2(0.0);
  gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
  vec2 edge = u_view * 0.5 + 12.0;
  bool aside = any(greaterThan(min(from, to), edge)) || any(lessThan(max(from, to), -edge));
  if (!shown || length_ < 1.0 || aside) return;

  vec2 along = (to - from) / length_;
  vec2 across = vec2(-along.y, along.x);
  float thickness = a_about.x * mix(u_scale, pow(u_scale, 0.35), u_dense) * (contested ? 1.35 : 1.0);
  float faint = min(thickness, 1.0);
  thickness = max(thickness, 1.0);
  float end = length_ - a_about.y * u_scale - 1.5;
  v_head = vec2(4.0 + 2.6 * thickness, 2.2 + 1.5 * thickness);
  if (a_about.y * u_scale < 2.5 || end < 3.0 * v_head.x) head = 0.0;
  bool inHead = a_corner.z > 0.5;
  if (end <= 0.0) return;
  // Two strips, so that a long line is not filled as wide as its head.
  float reach = inHead && head > 0.0 ? v_head.y : thickness * 0.5;
  reach += u_feather * 0.5;
  float distance_ = a_corner.x < 0.5 ? 0.0 : (a_corner.x < 1.5 && head > 0.0) ? end - v_head.x : end;
  vec2 at = from + along * distance_ + across * (a_corner.y * reach + twin * (1.0 + 1.4 * thickness));
  v_at = vec2(distance_, a_corner.y * reach);
  v_shape = vec4(end, thickness * 0.5, head, pattern);
  gl_Position = vec4(at / (u_view * 0.5), 0.0, 1.0);
  float told = mod(a_about.w, 4.0);
  vec3 signed_ = told == 1.0 ? u_raises : told == 2.0 ? u_lowers : u_plain;
  vec3 colour = u_byCredibility > 0.5 ? mix(u_weak, u_strong, a_about.z) : contested ? u_dispute : signed_;
  float weight = (0.3 + 0.7 * a_about.z) * mix(1.0, clamp(200.0 / length_, 0.12, 1.0), u_dense);
  v_colour = vec4(colour, min(1.0, u_opacity * weight * (contested ? 1.7 : 1.0)) * faint);
}`;

const LINK_FRAGMENT = `
precision highp float;
varying vec2 v_at;
varying vec4 v_shape;
varying vec4 v_colour;
varying vec2 v_head;
uniform float u_feather;

void main() {
  float back = v_shape.x - v_at.x;
  float across = abs(v_at.y);
  float halfWidth = v_shape.y;
  bool inHead = false;
  if (v_shape.z == 1.0 && back < v_head.x) {
    halfWidth = max(v_head.y * back / v_head.x, 0.3);
    inHead = true;
  } else if (v_shape.z == 2.0 && back < 2.0 + v_shape.y) {
    halfWidth = v_head.y;
    inHead = true;
  }
  float alpha = 1.0 - smoothstep(halfWidth - u_feather * 0.5, halfWidth + u_feather * 0.5, across);
  if (!inHead && v_shape.w == 1.0 && mod(v_at.x, 11.0) > 7.0) alpha = 0.0;
  if (!inHead && v_shape.w == 2.0 && mod(v_at.x, 6.0) > 2.0) alpha = 0.0;
  float opacity = v_colour.a * alpha;
  gl_FragColor = vec4(v_colour.rgb * opacity, opacity);
}`;

// `view` is read at every frame: { least, contested, kinds, byCredibility, opacity, dense }.
function linkProgram(view) {
  const { FLOAT, TRIANGLES } = WebGLRenderingContext;
  return spread(class extends Sigma.rendering.EdgeProgram {
    getDefinition() {
      return {
        VERTICES: 12,
        VERTEX_SHADER_SOURCE: LINK_VERTEX,
        FRAGMENT_SHADER_SOURCE: LINK_FRAGMENT,
        METHOD: TRIANGLES,
        UNIFORMS: [
          "u_matrix", "u_view", "u_scale", "u_least", "u_contested", "u_kinds", "u_opacity", "u_dense", "u_byCredibility", "u_raises",
          "u_lowers", "u_plain", "u_dispute", "u_weak", "u_strong", "u_feather",
        ],
        ATTRIBUTES: [
          { name: "a_start", size: 2, type: FLOAT },
          { name: "a_end", size: 2, type: FLOAT },
          { name: "a_about", size: 4, type: FLOAT },
        ],
        CONSTANT_ATTRIBUTES: [{ name: "a_corner", size: 3, type: FLOAT }],
        CONSTANT_DATA: [
          [0, 1, 0], [0, -1, 0], [1, 1, 0], [0, -1, 0], [1, 1, 0], [1, -1, 0],
          [1, 1, 1], [1, -1, 1], [2, 1, 1], [1, -1, 1], [2, 1, 1], [2, -1, 1],
        ],
      };
    }

    processVisibleItem(id, at, cause, effect, data) {
      this.array.set([cause.x, cause.y, effect.x, effect.y, data.size, effect.size, data.credibility, data.flags], at);
    }

    setUniforms(params, { gl, uniformLocations: at }) {
      gl.uniformMatrix3fv(at.u_matrix, false, params.matrix);
      gl.uniform2f(at.u_view, params.width, params.height);
      gl.uniform1f(at.u_scale, 1 / params.sizeRatio);
      gl.uniform1f(at.u_least, view.least);
      gl.uniform1f(at.u_contested, view.contested ? 1 : 0);
      gl.uniform3f(at.u_kinds, ...[READ, ELICITED, MEASURED].map((kind) => (view.kinds & kind ? 1 : 0)));
      gl.uniform1f(at.u_opacity, Math.min(0.9, view.opacity / params.zoomRatio ** 0.4));
      gl.uniform1f(at.u_dense, view.dense ? 1 : 0);
      gl.uniform1f(at.u_byCredibility, view.byCredibility ? 1 : 0);
      gl.uniform1f(at.u_feather, 1 / params.pixelRatio);
      const of = theme();
      for (const [name, colour] of [
        ["u_raises", of.raises], ["u_lowers", of.lowers], ["u_plain", of.plain], ["u_dispute", of.contested],
        ["u_weak", of.weak], ["u_strong", of.strong],
      ]) gl.uniform3f(at[name], ...channels(colour).map((channel) => channel / 255));
    }
  });
}

// Processors draw instances one by one, at a cost that is the same for a dot as for a long line; so every vertex is written
// out. That takes more memory: it is sent to the graphics card when it has changed, not at every frame. Nothing is drawn
// for the mouse: see picking.js.
function spread(Program) {
  return class extends Program {
    constructor(gl, _pickingBuffer, renderer) {
      super(gl, null, renderer);
    }

    getDefinition() {
      const { CONSTANT_ATTRIBUTES, CONSTANT_DATA, ...definition } = super.getDefinition();
      this.corners = CONSTANT_DATA;
      return { ...definition, ATTRIBUTES: [...definition.ATTRIBUTES, ...CONSTANT_ATTRIBUTES] };
    }

    processVisibleItem(id, at, ...about) {
      const width = this.ATTRIBUTES_ITEMS_COUNT;
      super.processVisibleItem(id, at, ...about);
      this.corners.forEach((corner, number) => {
        const to = at + number * width;
        if (number) this.array.copyWithin(to, at, at + width);
        this.array.set(corner, to + width - corner.length);
      });
      this.changed = true;
    }

    bindProgram(program) {
      if (this.changed) super.bindProgram(program);
      else {
        const { gl, buffer } = program;
        gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
        this.ATTRIBUTES.reduce((offset, attribute) => offset + this.bindAttribute(attribute, program, offset), 0);
        gl.bindBuffer(gl.ARRAY_BUFFER, null);
      }
      this.changed = false;
    }
  };
}
