import { z } from 'zod';
import { ApportionError } from '#terms';
import { expiryFields, parseExpiry, type Expiry } from '../expiry.ts';
import { EVERYTHING, type Reach } from '../members/role.ts';
import { nameField, parseFields } from '../request-fields.ts';
import { parseTeamId } from '../team-id.ts';

export type ReadTokenRequest = { readonly name: string; readonly reach: Reach; readonly expiry: Expiry };

const fields = z.strictObject({
  name: nameField,
  everything: z.literal(true).optional(),
  teams: z.array(nameField).min(1).max(200).optional(),
  entities: z
    .array(z.strictObject({ entity_type: z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/), entity_id: nameField }))
    .min(1)
    .max(200)
    .optional(),
  ...expiryFields,
});

/** Reads the body of `POST /v1/tokens`. What it may read must be said: nothing said is not everything. */
export function parseReadToken(body: unknown): ReadTokenRequest {
  const given = parseFields(body, { fields, refused: new Map() });
  const { name, everything, teams, entities } = given;
  if ((everything === true) === (teams !== undefined || entities !== undefined)) {
    throw new ApportionError('invalid_field', 'everything: say either everything, or teams and entities.', {
      param: 'everything',
      hint: 'Send {"everything": true}, {"teams": ["growth"]} or {"entities": [{"entity_type": "customer", "entity_id": "acme"}]}.',
    });
  }
  const reach: Reach =
    everything === true
      ? EVERYTHING
      : {
          kind: 'only',
          teams: teams?.map(parseTeamId) ?? null,
          entities: entities?.map(({ entity_type: type, entity_id: id }) => ({ type, id })) ?? null,
        };
  return { name, reach, expiry: parseExpiry(given) ?? { kind: 'never' } };
}
