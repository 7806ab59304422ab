/** A server that takes part: its process, and where it is reached. */
const host = '127.0.0.1';

export class Server {
  #cleanUp;

  constructor(process, { clients, api = clients, monitor, protocol, publishing, cleanUp = () => {} }) {
    this.process = process;
    /** Where clients connect, and what they speak. */
    this.clients = { host, port: clients, protocol };
    /** Where back ends publish. */
    this.api = { host, port: api };
    /** Where operators look, if there is such a place. */
    this.monitor = monitor === undefined ? undefined : { host, port: monitor };
    /** Way of publishing → (room, event) → path and body of the request. */
    this.publishing = publishing;
    this.#cleanUp = cleanUp;
  }

  get pid() {
    return this.process.pid;
  }

  async stop() {
    await this.process.stop();
    this.#cleanUp();
  }
}
