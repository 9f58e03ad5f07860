#pragma once

#include <string>

#include "actors/caller.hpp"
#include "runtime/entity/route.hpp"

/// What the routes of several kinds share.
namespace troupe {

inline constexpr problem_kind forbidden{403, "forbidden", "Forbidden", "That belongs to another user."};
/// For codes that are no refusal of the kind: the front has its own problem for that.
inline constexpr problem_kind unknown_refusal{};

inline caller caller_of(const route_request& in) { return {in.who.user, in.who.is_admin}; }

/// The user that the path names, when the caller may look at what is theirs: `bind` makes the message from
/// it.
template <class Bind>
bound for_user_in_path(route_request& in, Bind bind) {
  const auto user = parse_uuid(in.param("userId"));
  if (!user || user->is_nil()) {
    in.error("userId", "must be a UUID, and not nil");
    return unrouted{};
  }
  if (!caller_of(in).may_act_for(*user)) return unrouted{forbidden, "these belong to another user"};
  return bind(*user);
}

/// The same row without /api/v1 and without a token, for the compat mode.
inline route compat(route row) {
  row.path.remove_prefix(std::string_view{"/api/v1"}.size());
  row.level = access::anyone;
  row.compat_only = true;
  return row;
}

}  // namespace troupe
