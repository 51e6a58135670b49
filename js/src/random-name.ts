/** A name that nothing else has; of pages without https as well, which have no `randomUUID`. */
export function randomName(): string {
  return [...crypto.getRandomValues(new Uint32Array(3))].map((n) => n.toString(36)).join("-");
}
