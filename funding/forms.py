"""What an agent of the ANS types about money: verdicts on objectives and expenses, and that an envelope is exceeded."""

from dataclasses import dataclass

from django import forms

from applications.fields import AmountField, LineField
from ecare.french import euros
from funding.actions import Outcome, Verdicts
from funding.declared import Declared, DeclaredLine, Objective, carried
from funding.models import Decision, ExpenseVerdict

REASON_LENGTH = 500
REMARK_LENGTH = 2000
REACHED, MISSED = "oui", "non"


@dataclass(frozen=True)
class ObjectiveRow:
    objective: Objective
    reached: forms.BoundField
    remark: forms.BoundField


@dataclass(frozen=True)
class ExpenseRow:
    """`is_new`: the decision was saved on an earlier sending, which did not hold this line."""

    line: DeclaredLine
    outcome: forms.BoundField
    amount: forms.BoundField
    reason: forms.BoundField
    is_new: bool

    @property
    def is_wrong(self) -> bool:
        return bool(self.outcome.errors or self.amount.errors or self.reason.errors)


class DecisionForm(forms.Form):
    """A verdict for each objective and each line of expenses, or the accepted total where the form asks for no line.
    It may be saved before it is complete; what is said must hold together."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)
    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, what: Declared, decision: Decision | None, data=None):
        self.what, self.decision = what, decision
        application = what.submission.application
        initial = {"version": application.version, "seen": decision.version if decision else 0}
        super().__init__(self._with_all_accepted(data), initial=initial)
        self.verdicts_kept, self.dropped = carried(what.lines, decision.expenses.all() if decision else [])
        self.is_of_earlier_sending = decision is not None and decision.submission_id != what.submission.pk
        self._add_objectives()
        for line in what.lines:
            self._add_line(line, self.verdicts_kept.get(line.place))
        if not what.has_lines:
            self.fields["total"] = AmountField(
                label="Total des dépenses retenues (€)",
                help_text="D’après la trame financière et sa synthèse signée. Exemple : 7 000,50.",
            )
            self.fields["total"].initial = AmountField().typed(decision.accepted if decision else None)

    def _with_all_accepted(self, data):
        """The button « Retenir toutes les dépenses » decides what nothing is said of yet."""
        if data is None or "accept_all" not in data:
            return data
        data = data.copy()
        for line in self.what.lines:
            if not any(data.get(f"line_{line.number}_{name}", "").strip() for name in ("outcome", "amount", "reason")):
                data[f"line_{line.number}_outcome"] = Outcome.ACCEPTED
        return data

    def _add_objectives(self) -> None:
        given = {verdict.code: verdict for verdict in self.decision.objectives.all()} if self.decision else {}
        for rank, objective in enumerate(self.what.objectives):
            verdict = given.get(objective.code)
            reached = forms.ChoiceField(
                label=objective.name,
                help_text=objective.title,
                choices=[(REACHED, "Validé"), (MISSED, "Non validé")],
                widget=forms.RadioSelect,
                required=False,
            )
            reached.is_inline = True
            reached.initial = (REACHED if verdict.is_reached else MISSED) if verdict else None
            remark = forms.CharField(
                label=f"Remarque sur l’{objective.name[0].lower()}{objective.name[1:]}"
                if objective.code
                else "Remarque sur les objectifs",
                max_length=REMARK_LENGTH,
                widget=forms.Textarea(attrs={"rows": 2}),
                required=False,
            )
            remark.initial = verdict.remark if verdict else ""
            self.fields |= {f"objective_{rank}": reached, f"objective_{rank}_remark": remark}

    def _add_line(self, line: DeclaredLine, verdict: ExpenseVerdict | None) -> None:
        outcome = forms.ChoiceField(
            label=f"Avis, ligne {line.number}", choices=[("", "À examiner"), *Outcome.choices], required=False
        )
        amount = AmountField(label=f"Montant (€), ligne {line.number}")
        reason = LineField(label=f"Motif, ligne {line.number}", max_length=REASON_LENGTH)
        if verdict is not None:
            outcome.initial, reason.initial = verdict.outcome, verdict.reason
            amount.initial = amount.typed(verdict.amount) if verdict.outcome == Outcome.REDUCED else ""
        for name, field in (("outcome", outcome), ("amount", amount), ("reason", reason)):
            self.fields[f"line_{line.number}_{name}"] = field

    # --- as it is shown ---------------------------------------------------------------------------------------------
    @property
    def objective_rows(self) -> list[ObjectiveRow]:
        return [
            ObjectiveRow(objective, self[f"objective_{rank}"], self[f"objective_{rank}_remark"])
            for rank, objective in enumerate(self.what.objectives)
        ]

    @property
    def expense_rows(self) -> list[ExpenseRow]:
        rows = []
        for line in self.what.lines:
            outcome, amount, reason = (self[f"line_{line.number}_{name}"] for name in ("outcome", "amount", "reason"))
            is_new = self.is_of_earlier_sending and line.place not in self.verdicts_kept
            rows.append(ExpenseRow(line, outcome, amount, reason, is_new))
        return rows

    def overwriting(self, decision: Decision) -> "DecisionForm":
        """The same as typed, knowing now of what another agent saved."""
        data = self.data.copy()
        data["seen"] = str(decision.version)
        return DecisionForm(self.what, decision, data)

    # --- as it is checked -------------------------------------------------------------------------------------------
    def clean(self):
        for rank in range(len(self.what.objectives)):
            reached, remark = (self.cleaned_data.get(f"objective_{rank}{end}") for end in ("", "_remark"))
            if reached == MISSED and not remark:
                self.add_error(
                    f"objective_{rank}_remark",
                    "Écrivez pourquoi cet objectif n’est pas validé : la remarque est gardée.",
                )
            if reached == REACHED and remark and remark == self._said_of_a_miss(rank):
                self.add_error(
                    f"objective_{rank}_remark",
                    "Cette remarque dit pourquoi l’objectif n’était pas validé : effacez-la, ou modifiez-la.",
                )
        for line in self.what.lines:
            self._clean_line(line)
        return self.cleaned_data

    def _said_of_a_miss(self, rank: int) -> str:
        """The remark that was saved with « Non validé »; it would contradict « Validé »."""
        given = self.decision.objectives.all() if self.decision else ()
        code = self.what.objectives[rank].code
        return next((one.remark for one in given if one.code == code and not one.is_reached), "")

    def _clean_line(self, line: DeclaredLine) -> None:
        prefix, declared = f"line_{line.number}_", euros(line.amount)
        if any(f"{prefix}{name}" in self.errors for name in ("outcome", "amount", "reason")):
            return
        outcome, amount, reason = (self.cleaned_data.get(f"{prefix}{name}") for name in ("outcome", "amount", "reason"))
        if not outcome:
            if amount or reason:
                self.add_error(f"{prefix}outcome", "Choisissez un avis pour cette dépense.")
            return
        if outcome == Outcome.REDUCED:
            if not amount:
                self.add_error(f"{prefix}amount", "Écrivez le montant retenu. Exemple : 7 000,50.")
            elif amount >= line.amount:
                self.add_error(
                    f"{prefix}amount",
                    f"Le montant déclaré est {declared} : écrivez moins, ou choisissez « {Outcome.ACCEPTED.label} ».",
                )
        elif amount and (outcome == Outcome.REFUSED or amount != line.amount):
            self.add_error(f"{prefix}amount", f"Effacez ce montant, ou choisissez « {Outcome.REDUCED.label} ».")
        if outcome != Outcome.ACCEPTED and not reason:
            self.add_error(f"{prefix}reason", "Écrivez le motif : l’établissement le lira.")

    def verdicts(self) -> Verdicts:
        found = Verdicts(total=self.cleaned_data.get("total"))
        for rank, objective in enumerate(self.what.objectives):
            if reached := self.cleaned_data[f"objective_{rank}"]:
                remark = self.cleaned_data[f"objective_{rank}_remark"].replace("\r\n", "\n")
                found.objectives[objective.code] = (reached == REACHED, remark)
        for line in self.what.lines:
            outcome, amount, reason = (
                self.cleaned_data[f"line_{line.number}_{name}"] for name in ("outcome", "amount", "reason")
            )
            if outcome:
                kept = {Outcome.ACCEPTED: line.amount, Outcome.REFUSED: 0}.get(outcome, amount)
                found.expenses[line.place] = (outcome, kept, reason)
        return found


class EnvelopeBox(forms.Form):
    """For the form of a move that an exceeded envelope must not pass unnoticed: a box, and the figure that it was
    ticked for, which the verb compares with the one it finds."""

    def ask_to_confirm(self, over: int) -> None:
        if over:
            self.fields["over"] = forms.IntegerField(widget=forms.HiddenInput, min_value=0, initial=over)
            self.fields["confirms_over"] = forms.BooleanField(
                label=f"Je confirme : l’enveloppe du domaine est dépassée de {euros(over)}",
                error_messages={"required": "Cochez cette case : l’enveloppe est dépassée, l’ANS doit le confirmer."},
            )

    def arguments(self) -> dict:
        """What the verb is called with: the figure that the agent saw."""
        given = dict(super().arguments())
        given.pop("confirms_over", None)
        given["over"] = given.get("over") or 0
        return given
