import { ROLES, type Role } from '../../api/members.ts';
import { ROLE_WORDS } from './role-words.ts';

type RoleSelectProps = { readonly label: string; readonly value: Role; readonly onChange: (role: Role) => void };

export function RoleSelect({ label, value, onChange }: RoleSelectProps) {
  const pick = (picked: string): void => {
    const role = ROLES.find((one) => one === picked);
    if (role !== undefined) onChange(role);
  };
  return (
    <select
      aria-label={label}
      value={value}
      onChange={(event) => pick(event.target.value)}
      className="h-8 rounded-md border border-line-strong bg-surface px-2 text-[13px] shadow-card"
    >
      {ROLES.map((role) => (
        <option key={role} value={role}>
          {ROLE_WORDS[role]}
        </option>
      ))}
    </select>
  );
}
