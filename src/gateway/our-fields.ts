import { TAG_BODY_FIELDS } from '#tags';

/** Top-level request fields that are ours: providers refuse what they do not know, so none of them goes upstream. */
export const OUR_FIELDS: ReadonlySet<string> = new Set(TAG_BODY_FIELDS);
