namespace Breakwater.Proxy.Boots;

/// <summary>
/// Boots that follow each other without a pause of <see cref="Pause"/>. Guarded by <see cref="BootTimelines"/>.
/// </summary>
/// <param name="id">Its number, from 1 on.</param>
/// <param name="first">Its first boot.</param>
internal sealed class Storm(int id, Boot first)
{
    /// <summary>The silence between two storms.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    public int Id => id;

    public TimeSpan BeganAt { get; private set; } = first.BeganAt;

    public DateTimeOffset StartedAt { get; private set; } = first.StartedAt;

    /// <summary>The end of the last answer to one of its boots.</summary>
    public TimeSpan LastAt { get; set; } = first.LastAt;

    /// <summary>As it was worked out last; null when it has changed since.</summary>
    public StormView? View { get; set; }

    /// <summary>Does a boot that began then belong to it?</summary>
    public bool Reaches(TimeSpan beganAt) => beganAt <= LastAt + Pause;

    /// <summary>Takes a boot in.</summary>
    public void Add(Boot boot)
    {
        if (boot.BeganAt < BeganAt)
        {
            (BeganAt, StartedAt) = (boot.BeganAt, boot.StartedAt);
        }

        LastAt = boot.LastAt > LastAt ? boot.LastAt : LastAt;
        View = null;
    }
}
