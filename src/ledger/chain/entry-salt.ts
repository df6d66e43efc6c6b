import { createRandom } from '#std';

const SALT_BYTES = 16;

const random = createRandom();

/**
 * What the identifying values of one entry are hashed with, so that their digests cannot be guessed once it is gone. 22
 * characters; the text itself is the salt, since two texts could stand for the same bytes.
 */
export function freshSalt(): string {
  return Buffer.from(random(SALT_BYTES)).toString('base64url');
}
