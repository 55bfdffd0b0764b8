/** The process that reads guests' memory; see memory-reader.ts. */
import { serve } from '../io/helper-process.js';
import { MemoryGuests, type MemoryQuestion } from './memory-guests.js';

const guests = new MemoryGuests();
serve((question) => guests.answer(question as MemoryQuestion));
