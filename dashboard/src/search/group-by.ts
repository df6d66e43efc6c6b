/** The words of the API's `group_by` that the dashboard takes apart and puts together. */

const TAG = 'tags.';

/** The tag a breakdown is by, be it a list (`tags.team`) or a level of a tree (`tags.team:eng`). */
export function tagKeyOf(by: string): string | undefined {
  if (!by.startsWith(TAG)) return undefined;
  const [key = ''] = by.slice(TAG.length).split(':', 1);
  return key;
}

/** A breakdown by a tag whose values are read as paths. */
export function isTagTree(by: string): boolean {
  return by.startsWith(TAG) && by.includes(':');
}

/** The breakdown of what is below a node of the tree that `by` is a level of. */
export function belowNode(by: string, node: string): string {
  const key = tagKeyOf(by);
  return key === undefined ? `path:${node}` : `${TAG}${key}:${node}`;
}

export function asTagTree(key: string): string {
  return `${TAG}${key}:/`;
}

export function asTagList(key: string): string {
  return TAG + key;
}
