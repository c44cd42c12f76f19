namespace Breakwater.Proxy.Cluster;

/// <summary>Whom a node asks for something before it asks a Stratum 1. Pure.</summary>
internal static class NodeCandidates
{
    /// <summary>
    /// The owner, then the second; none behind the asking node itself: where it is the owner it asks nobody, and where it is the second it
    /// asks the owner alone. So a dead owner's objects have one new owner, and are not fetched by each node.
    /// </summary>
    /// <param name="ring">The members that this node sees alive, itself included.</param>
    /// <param name="key">What is wanted, see <see cref="Ring.KeyOf(in CacheStore.ObjectKey)"/>.</param>
    /// <param name="self">The asking node's id.</param>
    /// <param name="isOut">Has it too many strikes?</param>
    public static (RingMember? Owner, RingMember? Second) Before(Ring ring, ulong key, string self, Predicate<string> isOut)
    {
        (RingMember? owner, RingMember? second) = ring.FirstTwo(key, m => m.Id != self && isOut(m.Id));
        return owner is null || owner.Id == self ? (null, null)
            : second is null || second.Id == self ? (owner, null)
            : (owner, second);
    }

    /// <summary>
    /// Who may hold what this node is about to ask a Stratum 1 for. Of its own: who was the owner before this one joined or came back. Of
    /// another's, while not all nodes see the same members: the owner, since whoever asks here takes this node for it. Null: nobody.
    /// </summary>
    /// <param name="ring">The members that this node sees alive.</param>
    /// <param name="key">What is wanted, see <see cref="Ring.KeyOf(in CacheStore.ObjectKey)"/>.</param>
    /// <param name="self">The asking node's id.</param>
    /// <param name="isSettled">Is the last change of members so long ago that all have seen it?</param>
    /// <param name="isOut">Has it too many strikes?</param>
    public static RingMember? Holder(Ring ring, ulong key, string self, bool isSettled, Predicate<string> isOut)
    {
        (RingMember? owner, RingMember? second) = ring.FirstTwo(key, m => m.Id != self && isOut(m.Id));
        return owner?.Id == self ? second : isSettled ? null : owner;
    }
}
