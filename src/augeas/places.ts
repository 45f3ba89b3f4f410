/** Where nodes stand in the tree. */
import { escapeName } from './parse-expression.ts';
import type { TreeNode } from './tree.ts';

/** Paths of nodes; places among siblings of the same label are counted once per parent. */
export class Places {
  readonly #places = new Map<TreeNode, Map<TreeNode, number | undefined>>();

  /** The path that leads to a node and to no other. */
  pathOf(node: TreeNode): string {
    const steps: string[] = [];
    for (let at: TreeNode = node; at.parent !== undefined; at = at.parent) {
      const place = this.#among(at.parent).get(at);
      steps.unshift(`/${escapeName(at.label ?? '')}${place === undefined ? '' : `[${place}]`}`);
    }
    return steps.length === 0 ? '/' : steps.join('');
  }

  /** For each child its number among those of its label, undefined for the only one. */
  #among(parent: TreeNode): Map<TreeNode, number | undefined> {
    let places = this.#places.get(parent);
    if (places === undefined) {
      const groups = new Map<string | undefined, TreeNode[]>();
      for (const child of parent.children) {
        const group = groups.get(child.label);
        if (group === undefined) groups.set(child.label, [child]);
        else group.push(child);
      }
      places = new Map();
      for (const group of groups.values())
        for (const [i, child] of group.entries()) places.set(child, group.length > 1 ? i + 1 : undefined);
      this.#places.set(parent, places);
    }
    return places;
  }
}
