import { writeError } from '../openai/write-answer.ts';
import type { CallerSide } from '../side.ts';
import { readPrompt } from './read-prompt.ts';
import { writeAnswer } from './write-answer.ts';
import { writeStream } from './write-stream.ts';

/** OpenAI's Responses, of callers that send the whole conversation: nothing is stored for the next one. */
export const responsesCaller: CallerSide = { readPrompt, writeAnswer, writeError, writeStream };
