namespace Breakwater.Proxy.Boots;

/// <summary>
/// Boots that follow each other without a pause of <see cref="Pause"/>. Guarded by <see cref="BootTimelines"/>.
/// </summary>
/// <param name="id">Its number, from 1 on.</param>
/// <param name="first">Its first boot, which is shown.</param>
internal sealed class Storm(int id, Boot first)
{
    /// <summary>The silence between two storms.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    public int Id => id;

    /// <summary>The end of the last answer to one of its boots.</summary>
    public TimeSpan LastAt { get; set; } = first.LastAt;

    /// <summary>The oldest of its boots that are shown; those that follow it in the list, up to the next storm's, are its others.</summary>
    public LinkedListNode<Boot> First { get; set; } = first.Shown!;

    /// <summary>As it was worked out last; null when it has changed since.</summary>
    public StormView? View { get; set; }

    /// <summary>Its boots when <see cref="View"/> was worked out. The array is never changed.</summary>
    public BootLine[] Lines { get; private set; } = [];

    /// <summary>Works it out anew if it has changed; false when it had not.</summary>
    /// <param name="isOpen">May another boot follow?</param>
    public bool Look(bool isOpen)
    {
        if (View is { } known)
        {
            bool isRunning = isOpen || known.Booting > 0;
            bool ends = known.IsRunning != isRunning;
            View = ends ? known with { IsRunning = isRunning } : known;
            return ends;
        }

        List<BootLine> lines = new(Lines.Length + 1);
        for (LinkedListNode<Boot>? node = First; node?.Value.Storm == this; node = node.Next)
        {
            lines.Add(node.Value.Line);
        }

        Lines = [.. lines];
        View = StormView.Of(id, Lines, isOpen);
        return true;
    }

    /// <summary>Does a boot that began then belong to it?</summary>
    public bool Reaches(TimeSpan beganAt) => beganAt <= LastAt + Pause;

    /// <summary>Takes a boot in.</summary>
    public void Add(Boot boot)
    {
        LastAt = boot.LastAt > LastAt ? boot.LastAt : LastAt;
        View = null;
    }
}
