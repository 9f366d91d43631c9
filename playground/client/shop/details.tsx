import { useSignal } from "@preact/signals";
import type { PersonUpdate } from "people-tracking-sdk";

import { sdk, show, state } from "../tracker.js";

const text = (form: FormData, name: string) => {
  const value = form.get(name);
  return typeof value === "string" ? value.trim() : "";
};

/** Only what was filled in: an update replaces the fields it carries and keeps the rest. */
function readPerson(form: FormData): PersonUpdate {
  const [firstName, lastName, city] = [text(form, "firstName"), text(form, "lastName"), text(form, "city")];
  const [email, phone, wind] = [text(form, "email"), text(form, "phone"), text(form, "wind")];
  const contacts = {
    ...(email && { email: [{ address: email }] }),
    ...(phone && { phone: [{ number: phone.replace(/\D/g, "") }] }),
  };
  return {
    ...(firstName && { firstName }),
    ...(lastName && { lastName }),
    ...(city && { city }),
    ...((email || phone) && { contactInformation: contacts }),
    ...(wind && { customAttributes: { homeWind: wind } }),
  };
}

export function Details() {
  const note = useSignal<{ ok: boolean; text: string } | null>(null);
  const kind = state.value?.profile?.kind;

  const save = async (form: HTMLFormElement) => {
    const person = readPerson(new FormData(form));
    if (Object.keys(person).length === 0) {
      note.value = { ok: false, text: "Fill in at least one field." };
      return;
    }
    const outcome = await show(`updatePerson(${JSON.stringify(person)})`, () => sdk.updatePerson(person));
    note.value = outcome.success
      ? { ok: true, text: "Stored. It reaches your profile with the next batch." }
      : { ok: false, text: outcome.error.message };
  };

  return (
    <section class="details">
      <h1>Your details</h1>
      <p class="lede">
        {kind === "lead"
          ? "You are a lead now, so these go to your profile."
          : "Only a lead’s profile can be updated from a page. Start a chat first, or save and see what the tracker answers."}
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save(event.currentTarget);
        }}
      >
        <Field name="firstName" label="First name" autocomplete="given-name" />
        <Field name="lastName" label="Last name" autocomplete="family-name" />
        <Field name="email" label="Email" type="email" autocomplete="email" />
        <Field name="phone" label="Phone, with country code" type="tel" autocomplete="tel" />
        <Field name="city" label="City" autocomplete="address-level2" />
        <label class="field">
          <span>Wind at home</span>
          <select name="wind">
            <option value="">Not said</option>
            <option>Light</option>
            <option>Steady</option>
            <option>Gusty</option>
          </select>
        </label>
        <p class="actions">
          <button type="submit" class="button">
            Save details
          </button>
        </p>
        <p class="note" role="status" data-ok={note.value?.ok}>
          {note.value?.text}
        </p>
      </form>
    </section>
  );
}

interface FieldProps {
  name: string;
  label: string;
  type?: "text" | "email" | "tel";
  autocomplete: string;
}
const Field = ({ name, label, type = "text", autocomplete }: FieldProps) => (
  <label class="field">
    <span>{label}</span>
    <input name={name} type={type} autocomplete={autocomplete} maxLength={255} />
  </label>
);
