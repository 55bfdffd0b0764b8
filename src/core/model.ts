/** The values that the parts of core/, and io/, hand to each other: evidence in, analysis out. */
// What incident.json holds is described once, by its schema: only the types come from there, and no zod.
export type * from './analysis-schema.js';
export type * from './dump-schema.js';
export type * from './outside.js';
