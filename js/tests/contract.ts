/** The cases that `scripts/generate_js_fixtures.py` wrote. */
import table from "./fixtures/contract.json";

export const contract = table;
