/** The tree of labels and values. */

/** One node. Texts have one character per byte. A node without a label is a piece of a file (a blank line) that path expressions do not see. */
export class TreeNode {
  label: string | undefined;
  value: string | undefined;
  parent: TreeNode | undefined;
  readonly children: TreeNode[] = [];
  /** Whether this node or one below changed since it was read from its file. */
  dirty = false;
  /** Whether this node itself did. */
  modified = false;
  /** The file whose content this node is. */
  file: string | undefined;
  /** A place of the tree that stands for a file that nobody has read yet. */
  pending: string | undefined;

  constructor(label: string | undefined, value?: string) {
    this.label = label;
    this.value = value;
  }

  append(child: TreeNode): TreeNode {
    child.parent = this;
    this.children.push(child);
    return child;
  }

  /** The first child of this label. */
  child(label: string): TreeNode | undefined {
    return this.children.find((child) => child.label === label);
  }

  /** The first child of this label, which is made when there is none. */
  ensure(label: string): TreeNode {
    return this.child(label) ?? this.append(new TreeNode(label));
  }

  /** The node that a list of labels leads to from here, made where it is missing. */
  ensurePath(labels: readonly string[]): TreeNode {
    return labels.reduce<TreeNode>((at, label) => at.ensure(label), this);
  }

  find(labels: readonly string[]): TreeNode | undefined {
    return labels.reduce<TreeNode | undefined>((at, label) => at?.child(label), this);
  }

  /** Puts a child before the child at `index`. */
  insert(index: number, child: TreeNode): void {
    child.parent = this;
    this.children.splice(index, 0, child);
  }

  /** Takes this node out of its parent. */
  detach(): void {
    const siblings = this.parent?.children;
    if (siblings === undefined) return;
    const index = siblings.indexOf(this);
    if (index >= 0) siblings.splice(index, 1);
    this.parent = undefined;
  }

  /** Notes that this node changed. */
  touch(): void {
    this.modified = true;
    for (let at: TreeNode | undefined = this; at !== undefined; at = at.parent) at.dirty = true;
  }

  /** Replaces all children. */
  adopt(children: readonly TreeNode[]): void {
    for (const child of this.children) child.parent = undefined;
    this.children.length = 0;
    for (const child of children) this.append(child);
  }

  isWithin(other: TreeNode): boolean {
    for (let at: TreeNode | undefined = this; at !== undefined; at = at.parent) if (at === other) return true;
    return false;
  }
}

/** The number of nodes of a tree. */
export function countNodes(node: TreeNode): number {
  let count = 0;
  const left = [node];
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    count++;
    left.push(...at.children);
  }
  return count;
}
