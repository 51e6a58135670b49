/**
 * Runs before each file of tests.
 *
 * Node warns of more than ten listeners on one signal. All that one view is made of ends by one signal,
 * so that there are 11 to 20 from the start; that using a view adds none is tested in the browser
 * (tests/browser/ui/test_ui_memory.py). More than this would be a leak of the tests' own.
 */
import { setMaxListeners } from "node:events";

setMaxListeners(32);
