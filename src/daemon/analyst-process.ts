/** The analyst's process; see analyst.ts. */
import { answerTo, type Question } from '../core/watch/analyst.js';
import { serve } from '../io/helper-process.js';

serve((question) => answerTo(question as Question));
