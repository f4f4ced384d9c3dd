from common.errors import Conflict


class ChangedMeanwhile(Conflict):
    code = "changed_meanwhile"
    detail = "Something this request refers to was changed or deleted meanwhile: read it again and repeat."


class LastOwner(Conflict):
    code = "last_owner"
    detail = "A project needs an owner: make another member owner first."


class InUse(Conflict):
    code = "in_use"
    detail = "Something needs this."


class AlreadyMember(Conflict):
    code = "already_member"
    detail = "This user is a member already: change the role instead."
