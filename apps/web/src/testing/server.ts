// The API in tests: real requests over the real client, answered by what a test declares.
import { setupServer } from "msw/node";

export const server = setupServer();
