"""Which job MLflow starts when a version is registered: `deployment_job_id` of the model, which no bundle can set."""

from mlflow import MlflowClient

TRAINING, REGISTRATION = "training", "registration"


def link_deployment_job(model_name: str, job_id: str, trigger: str) -> None:
    """Links the deployment job to the model where registration shall start it, and takes the link away where not.

    A link to another job than ours stays as it is while ours is not to be linked. A second run changes nothing.

    Args:
        model_name: full name of the registered model.
        job_id: the deployment job's.
        trigger: "registration" if each new version shall start the job; "training" if the training job runs it.

    Raises:
        ValueError: the trigger is neither.
    """
    if trigger not in {TRAINING, REGISTRATION}:
        raise ValueError(f"the deployment trigger is '{trigger}', and must be '{TRAINING}' or '{REGISTRATION}'")
    model = MlflowClient().get_registered_model(model_name)
    linked = str(model.deployment_job_id or "") == job_id
    if linked == (trigger == REGISTRATION):
        return
    wanted = job_id if trigger == REGISTRATION else ""
    # Some stores take a missing description for an empty one.
    MlflowClient().update_registered_model(model_name, description=model.description, deployment_job_id=wanted)
