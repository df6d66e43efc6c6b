/** The tool that stands for an output format where a model has none. A call of it is the answer's text. */
export const JSON_TOOL = 'apportion_json_answer';
