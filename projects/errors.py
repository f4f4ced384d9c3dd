from jobs.errors import Conflict


class ChangedMeanwhile(Conflict):
    default_code = "changed_meanwhile"
    default_detail = "Something this request refers to was changed or deleted meanwhile: read it again and repeat."


class LastOwner(Conflict):
    default_code = "last_owner"
    default_detail = "A project needs an owner: make another member owner first."


class InUse(Conflict):
    default_code = "in_use"
    default_detail = "Something needs this."


class AlreadyMember(Conflict):
    default_code = "already_member"
    default_detail = "This user is a member already: change the role instead."
