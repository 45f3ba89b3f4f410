/** What is known of nodes of several mounts: a node's number means something in its own file system only. */
import type { NodeId } from '../filesystem/filesystem.ts';

/** Values by mount and node. */
export class NodeMap<Mount extends object, Value> {
  readonly #values = new Map<Mount, Map<NodeId, Value>>();

  get(mount: Mount, node: NodeId): Value | undefined {
    return this.#values.get(mount)?.get(node);
  }

  set(mount: Mount, node: NodeId, value: Value): void {
    let ofMount = this.#values.get(mount);
    if (ofMount === undefined) this.#values.set(mount, (ofMount = new Map()));
    ofMount.set(node, value);
  }

  /** Whether there is a value for any node of a mount. */
  hasAny(mount: Mount): boolean {
    return (this.#values.get(mount)?.size ?? 0) > 0;
  }

  /** Removes every place of a value. */
  removeValue(value: Value): void {
    for (const ofMount of this.#values.values()) for (const [node, one] of ofMount) if (one === value) ofMount.delete(node);
  }
}
