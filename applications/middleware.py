"""« Not now » is one answer everywhere: 409 and the sentence that the verb gave."""

from django.shortcuts import render

from applications.actions import NotNow


class NotNowMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if isinstance(exception, NotNow):
            return render(request, "409.html", {"message": str(exception)}, status=409)
        return None
