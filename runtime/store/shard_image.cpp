#include "runtime/store/shard_image.hpp"

#include <algorithm>

#include "runtime/store/storage_failure.hpp"
#include "runtime/store/store_impl.hpp"

namespace troupe {

namespace {

std::string side_prefix(shard_id shard, bool is_second_side) {
  std::string out;
  byte_writer{out}.u16_be(static_cast<std::uint16_t>(shard | (is_second_side ? 0x8000U : 0U)));
  return out;
}

/// All of a side's keys are between its prefix and this.
std::string side_end(shard_id shard, bool is_second_side) {
  return side_prefix(static_cast<shard_id>(shard + 1), is_second_side);
}

}  // namespace

shard_image::shard_image(const store& from, shard_id shard)
    : store_(from),
      shard_(shard),
      held_(from.impl_->db->GetSnapshot()),
      is_second_side_(from.impl_->sides.is_second(shard)),
      applied_(from.applied(shard)),
      stamp_(from.stamp(shard)),
      epoch_starts_(from.epoch_starts(shard)) {}

shard_image::~shard_image() { store_.impl_->db->ReleaseSnapshot(held_); }

void shard_image::scan(part which, std::string_view from, const row_visitor& visit) const {
  const auto prefix = side_prefix(shard_, is_second_side_);
  const auto end = side_end(shard_, is_second_side_);
  const rocksdb::Slice upper{end};
  rocksdb::ReadOptions options;
  options.snapshot = held_;
  options.total_order_seek = true;
  options.fill_cache = false;
  options.iterate_upper_bound = &upper;
  auto* family = store_.impl_->families[which == part::rows ? rows_family : replies_family];
  const std::unique_ptr<rocksdb::Iterator> it{store_.impl_->db->NewIterator(options, family)};
  for (it->Seek(prefix + std::string{from}); it->Valid(); it->Next()) {
    const auto value = view(it->value());
    if (which == part::replies && store_.impl_->expiry.is_over(value, stamp_.ms)) continue;
    if (!visit(view(it->key()).substr(prefix.size()), value)) return;
  }
  if (!it->status().ok()) storage_failed("reading a shard", it->status());
}

void store_batch::stage_row(shard_id shard, std::string_view key_behind_shard, std::string_view value) {
  impl_->mark_other_side(shard);
  auto key = side_prefix(shard, !impl_->sides->is_second(shard));
  key.append(key_behind_shard);
  const auto status = impl_->batch.Put(family_in_batch(rows_family), key, slice(value));
  if (!status.ok()) storage_failed("putting a row aside", status);
}

void store_batch::stage_reply(shard_id shard, std::string_view command_id, std::string_view record) {
  impl_->mark_other_side(shard);
  auto key = side_prefix(shard, !impl_->sides->is_second(shard));
  key.append(command_id);
  const auto status = impl_->batch.Put(family_in_batch(replies_family), key, slice(record));
  if (!status.ok()) storage_failed("putting a reply aside", status);
}

void store_batch::impl::mark_other_side(shard_id shard) {
  if (std::find(marked.begin(), marked.end(), shard) != marked.end()) return;
  const auto status = batch.Put(family_in_batch(meta_family), aside_key(shard), "");
  if (!status.ok()) storage_failed("putting a snapshot aside", status);
  marked.push_back(shard);
}

void store_batch::drop_other_side(shard_id shard) {
  const bool other = !impl_->sides->is_second(shard);
  std::erase(impl_->marked, shard);
  const auto unmarked = impl_->batch.Delete(family_in_batch(meta_family), aside_key(shard));
  if (!unmarked.ok()) storage_failed("dropping what was put aside", unmarked);
  for (const auto family : {rows_family, replies_family}) {
    const auto status =
        impl_->batch.DeleteRange(family_in_batch(family), side_prefix(shard, other), side_end(shard, other));
    if (!status.ok()) storage_failed("dropping what was put aside", status);
  }
}

void store::drop_other_sides(store_batch& batch) const {
  std::string mark;
  for (shard_id shard = 0; shard < std::min(shard_count(), shard_sides::shards_max); ++shard) {
    const auto status = impl_->db->Get({}, aside_key(shard), &mark);
    if (status.ok()) batch.drop_other_side(shard);
    if (!status.ok() && !status.IsNotFound()) storage_failed("looking for what was put aside", status);
  }
}

}  // namespace troupe
