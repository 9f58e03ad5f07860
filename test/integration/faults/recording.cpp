#include "test/integration/faults/recording.hpp"

#include <algorithm>

#include "test/integration/faults/powercut_disk.hpp"

namespace troupe::faults {

namespace {

using action = disk_step::action;
constexpr const char* appended_note = "appended";
constexpr const char* acknowledged_note = "acknowledged";
constexpr const char* cut_note = "cut";
constexpr const char* opened_note = "opened";
constexpr const char* mark_path = "data/mark";

disk_step note_of(const char* what, shard_id shard, std::uint64_t number) {
  return {action::note, what, {}, shard, number, {}};
}

}  // namespace

std::size_t recording::changes() const {
  return static_cast<std::size_t>(
      std::count_if(steps.begin(), steps.end(), [](const auto& s) { return s.what != action::note; }));
}

playback::playback(const recording& of, std::vector<std::uint64_t> begun_with)
    : acknowledged(begun_with),
      appended(std::move(begun_with)),
      cut(appended.size(), 0),
      recording_(of),
      disk_(of.base) {
  const auto in_base = of.base.files.find(mark_path);
  if (in_base == of.base.files.end()) return;
  mark = in_base->second;
  mark_file_ = of.base.numbers().at(mark_path);
}

bool playback::next() {
  while (next_ < recording_.steps.size() && recording_.steps[next_].what == action::note)
    note(recording_.steps[next_++]);
  if (next_ == recording_.steps.size()) return false;
  last_ = &recording_.steps[next_++];
  ++changes_;
  disk_.apply(*last_);
  if (last_->what == action::create && last_->path == mark_path) mark_file_ = last_->file;
  if (last_->what == action::sync && last_->file == mark_file_) mark = disk_.synced(mark_file_);
  while (next_ < recording_.steps.size() && recording_.steps[next_].what == action::note)
    note(recording_.steps[next_++]);
  return true;
}

void playback::note(const disk_step& step) {
  if (step.path == opened_note) {
    epoch = step.offset;
  } else {
    auto& to = step.path == acknowledged_note ? acknowledged : step.path == cut_note ? cut : appended;
    to[step.file] = std::max(to[step.file], step.offset);
  }
}

recording record(
    const std::string& root,
    const std::function<void(const std::string& directory, std::shared_ptr<rocksdb::FileSystem> disk,
                             life_events events)>& run) {
  recording out;
  out.base = disk_image::read_from(root);
  const auto disk = std::make_shared<powercut_disk>(root);
  disk->record([&](disk_step&& step) { out.steps.push_back(std::move(step)); });
  const auto note = [&](const char* what, shard_id shard, std::uint64_t number) {
    disk->in_order([&] { out.steps.push_back(note_of(what, shard, number)); });
  };
  life_events events;
  events.appended = [=](shard_id shard, std::uint64_t index) { note(appended_note, shard, index); };
  events.acknowledged = [=](shard_id shard, std::uint64_t index) { note(acknowledged_note, shard, index); };
  events.cut = [=](shard_id shard, std::uint64_t epoch) { note(cut_note, shard, epoch); };
  events.opened = [=](std::uint64_t epoch) { note(opened_note, 0, epoch); };
  run(root + "/data", disk, events);
  return out;
}

}  // namespace troupe::faults
