from inference.views.models import ModelViewSet as ModelViewSet
