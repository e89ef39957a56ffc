// While the camera moves, the picture drawn last is moved and stretched, as map tiles are, where drawing anew takes long;
// it is drawn anew when the movement rests. Where drawing is quick every frame is drawn.

const QUICK_MS = 25;
const REST_MS = 120;
// How long a measured time of drawing holds while frame follows on frame.
const MEASURED_MS = 1000;
// A long movement is interrupted by a drawing when the picture shows too little: stretched or shrunk by more than this,
// or more than this share of the map empty on one side; and after so many times as long as the drawing takes.
const STRETCHED = 4;
const EMPTY = 0.6;
const LONG = 4;

class Motion {
  // `cost`: ms that a drawing took, to its end; `quick`: of what cost every frame is drawn; `redraws`: drawings so far.
  constructor(sigma) {
    Object.assign(this, { sigma, camera: sigma.getCamera(), quick: QUICK_MS, cost: 0, redraws: 0 });
    Object.assign(this, { measured: -Infinity, began: 0, rest: 0, following: false });
    this.picture = document.createElement("div");
    this.picture.className = "picture";
    // The layer of the mouse stays: places of the pointer are told from it.
    const { mouse, ...layers } = sigma.getCanvases();
    mouse.before(this.picture);
    this.picture.append(...Object.values(layers));
    const draw = sigma.render;
    sigma.render = () => this.redraw(() => draw.call(sigma));
    sigma.unbindCameraHandlers();
    this.camera.on("updated", () => this.moved());
  }

  redraw(draw) {
    // Waiting for the end of a drawing holds up the next: not at every frame.
    const measure = !this.following || performance.now() - this.measured > MEASURED_MS;
    if (measure) this.finish();
    const began = performance.now();
    draw();
    if (measure) {
      this.finish();
      this.measured = performance.now();
      this.cost = this.measured - began;
    }
    this.redraws++;
    this.following = false;
    clearTimeout(this.rest);
    this.rest = 0;
    this.picture.style.transform = "";
    return this.sigma;
  }

  // Drawing goes on after the calls for it have returned; to read a pixel is to wait for its end.
  finish() {
    for (const gl of Object.values(this.sigma.webGLContexts)) gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  }

  moved() {
    if (this.cost < this.quick) {
      this.following = true;
      this.sigma.scheduleRender();
      return;
    }
    const now = performance.now();
    if (!this.rest) this.began = now;
    const matrix = this.matrix();
    this.picture.style.transform = `matrix(${matrix.join(", ")})`;
    this.drawAtRest();
    if (now - this.began > LONG * this.cost && this.showsLittle(matrix)) this.sigma.scheduleRender();
  }

  drawAtRest() {
    clearTimeout(this.rest);
    this.rest = setTimeout(() => (this.camera.isAnimated() ? this.drawAtRest() : this.sigma.scheduleRender()), REST_MS);
  }

  showsLittle([a, b, c, d, left, top]) {
    const { width, height } = this.sigma.getDimensions();
    const stretch = Math.hypot(a, b);
    const across = [left + Math.min(0, a * width) + Math.min(0, c * height), left + Math.max(0, a * width) + Math.max(0, c * height)];
    const down = [top + Math.min(0, b * width) + Math.min(0, d * height), top + Math.max(0, b * width) + Math.max(0, d * height)];
    const empty = Math.max(across[0] / width, 1 - across[1] / width, down[0] / height, 1 - down[1] / height);
    return stretch > STRETCHED || stretch < 1 / STRETCHED || empty > EMPTY;
  }

  // From places on the picture to where the camera has them now, as CSS takes it.
  matrix() {
    const { sigma, camera } = this;
    const { width, height } = sigma.getDimensions();
    const [origin, right, bottom] = [{ x: 0, y: 0 }, { x: width, y: 0 }, { x: 0, y: height }].map((corner) =>
      sigma.framedGraphToViewport(sigma.viewportToFramedGraph(corner, { matrix: sigma.invMatrix }), { cameraState: camera.getState() }));
    return [
      (right.x - origin.x) / width, (right.y - origin.y) / width, (bottom.x - origin.x) / height, (bottom.y - origin.y) / height,
      origin.x, origin.y,
    ];
  }
}
