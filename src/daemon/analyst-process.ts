/** The analyst's process; see analyst.ts. */
import { answerTo, type Question, type ReadDumps } from '../core/watch/analyst.js';
import { serve } from '../io/helper-process.js';

const read: ReadDumps = new Map();
serve((question) => answerTo(question as Question, read));
