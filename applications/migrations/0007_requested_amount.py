"""The amount that a candidature asks for, on the dossier itself: the queue sorts and narrows by it."""

from django.db import migrations, models


def read_what_was_sent(apps, schema_editor):
    Application, Question, Submission = (
        apps.get_model("applications", name) for name in ("Application", "Question", "Submission")
    )
    keys = {}
    for question in Question.objects.filter(kind="amount", section__form__step="candidature").order_by("position"):
        keys.setdefault(question.section.form_id, question.key)
    for application in Application.objects.filter(candidature_form__in=keys).iterator():
        last = Submission.objects.filter(application=application, step="candidature").order_by("-number").first()
        requested = last.content["answers"].get(keys[application.candidature_form_id]) if last else 0
        if requested:
            Application.objects.filter(pk=application.pk).update(requested=requested)


class Migration(migrations.Migration):

    dependencies = [
        ('applications', '0006_activity_share'),
    ]

    operations = [
        migrations.AddField(
            model_name='application',
            name='requested',
            field=models.PositiveBigIntegerField(default=0, help_text='Dans la candidature, telle que transmise en dernier\xa0; 0\xa0: son formulaire ne le demande pas.', verbose_name='montant demandé (centimes d’euro)'),
        ),
        migrations.RunPython(read_what_was_sent, migrations.RunPython.noop),
    ]
