"""A kept view whose address said « moi » says which agent, so that it is the same for whoever opens it."""

from django.db import migrations
from django.http import QueryDict


def name_agents(apps, schema_editor):
    for view in apps.get_model("reviews", "SavedView").objects.filter(query__contains="suivi=moi"):
        query = QueryDict(view.query, mutable=True)
        if query.get("suivi") == "moi":
            query["suivi"] = str(view.owner_id)
            view.query = query.urlencode()
            view.save(update_fields=["query"])


class Migration(migrations.Migration):
    dependencies = [("reviews", "0004_both_signatures")]
    operations = [migrations.RunPython(name_agents, migrations.RunPython.noop)]
