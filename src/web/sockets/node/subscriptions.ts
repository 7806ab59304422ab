/** Who of a server's sockets is subscribed to what. */

export class Subscriptions<Member> {
  readonly #topics = new Map<string, Set<Member>>();

  /** Undefined where there are none. */
  of(topic: string): ReadonlySet<Member> | undefined {
    return this.#topics.get(topic);
  }

  add(topic: string, member: Member): void {
    const members = this.#topics.get(topic);
    if (members) members.add(member);
    else this.#topics.set(topic, new Set([member]));
  }

  remove(topic: string, member: Member): void {
    const members = this.#topics.get(topic);
    if (members?.delete(member) && members.size === 0) this.#topics.delete(topic);
  }
}
