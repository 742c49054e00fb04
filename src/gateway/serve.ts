// The line. Every door walks it, top to bottom; nothing reaches a provider without a hold.
import type { Arrived } from "../core/exchange";
import type { Ports } from "../core/ports";
import { accept, arrive } from "./accept";
import { admit } from "./admit";
import { answer } from "./answer";
import { authenticate } from "./authenticate";
import { call } from "./call";
import { requireAddress } from "./caller-address";
import { type Door, shapedDoor } from "./door";
import { govern } from "./govern";
import { plan } from "./plan";
import { receive } from "./receive";
import { refuse } from "./refuse";

/** One exchange from door to door. Read this first. Never throws: what goes wrong is answered in the door's dialect. */
export async function serve(request: Request, knocked: Door, ports: Ports): Promise<Response> {
  let door = knocked;
  let reached: Arrived = arrive(door, ports);
  try {
    const accepted = accept(reached, request, door, ports);
    reached = accepted;
    const authenticated = authenticate(accepted, ports);
    reached = authenticated;
    requireAddress(authenticated.key, request);
    const received = await receive(authenticated, request, ports);
    door = shapedDoor(knocked, received);
    const governed = await govern(received, door, ports);
    reached = governed;
    const planned = plan(governed, door, ports); // Ordered targets, each with its bound.
    const admitted = await admit(planned, door, ports, request.signal); // From here money is held; withHold settles it, once, on every exit.
    const called = await call(admitted, door, ports, request.signal);
    return answer(called, door, ports);
  } catch (thrown) {
    return refuse(thrown, reached, door, ports);
  }
}
