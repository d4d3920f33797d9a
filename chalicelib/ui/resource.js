// Something that is read from the service once, and again when it is forgotten.

export class Resource {
  /** @param {() => Promise<any>} read */
  constructor(read) {
    this.read = read;
    /** What was read, null until then. What is forgotten is still shown until its successor is there. */
    this.data = null;
    /** @type {any} */
    this.error = null;
    this.isAsked = false;
  }

  /**
   * Itself; read if it has not been.
   * @param {() => void} redraw Called once there is an answer.
   */
  ask(redraw) {
    if (!this.isAsked) this.#read(redraw);
    return this;
  }

  /** Read it again the next time it is asked for. */
  forget() {
    this.isAsked = false;
    this.error = null;
  }

  async #read(redraw) {
    this.isAsked = true;
    try {
      this.data = await this.read();
    } catch (error) {
      this.error = error;
    }
    redraw();
  }
}
