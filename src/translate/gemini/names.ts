import type { SettingNames } from '../prompt.ts';
import type { Fields } from '../fields.ts';

export const NAMES: SettingNames = {
  system: 'systemInstruction',
  tools: 'tools',
  toolChoice: 'toolConfig.functionCallingConfig',
  parallelTools: 'toolConfig.functionCallingConfig',
  output: 'generationConfig.responseMimeType',
  maxOutputTokens: 'generationConfig.maxOutputTokens',
  choices: 'generationConfig.candidateCount',
  temperature: 'generationConfig.temperature',
  topP: 'generationConfig.topP',
  topK: 'generationConfig.topK',
  stop: 'generationConfig.stopSequences',
  seed: 'generationConfig.seed',
  frequencyPenalty: 'generationConfig.frequencyPenalty',
  presencePenalty: 'generationConfig.presencePenalty',
  logprobs: 'generationConfig.responseLogprobs',
  reasoning: 'generationConfig.thinkingConfig',
  verbosity: 'verbosity',
  serviceTier: 'serviceTier',
  user: 'labels',
};

/** Google takes each field in both spellings (protobuf's JSON): here all are in the one its reference shows. */
export function camel(fields: Fields): Fields {
  let spelled: Record<string, unknown> | null = null;
  for (const name in fields) {
    if (!name.includes('_')) continue;
    spelled ??= { ...fields };
    delete spelled[name];
    spelled[name.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase())] = fields[name];
  }
  return spelled ?? fields;
}
