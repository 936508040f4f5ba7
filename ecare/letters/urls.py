from django.urls import path

from ecare.letters import views

app_name = "letters"
urlpatterns = [
    path("", views.mailbox, name="mailbox"),
    path("<uuid:pk>/", views.letter, name="letter"),
    path("<uuid:pk>/html/", views.html, name="html"),
]
