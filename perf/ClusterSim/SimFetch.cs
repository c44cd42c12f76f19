using Breakwater.Proxy.Cluster;

namespace Breakwater.ClusterSim;

/// <summary>One fetch of a node, for everybody there who wants the object: the owner, the second, a Stratum 1.</summary>
internal sealed class SimFetch(Site site, SimNode node, int item, bool isUpstream)
{
    private readonly List<Action<bool>> _told = [];
    private readonly HashSet<string> _late = new(StringComparer.Ordinal);
    private bool _isDone;
    private bool _isUpstreamBegun;

    /// <summary>The object.</summary>
    public int Item => item;

    /// <summary>Are Stratum 1s asked alone?</summary>
    public bool IsUpstream => isUpstream;

    /// <summary>One more who wants it.</summary>
    public void Join(Action<bool> told) => _told.Add(told);

    /// <summary>The node is gone.</summary>
    public void Break() => End(false);

    /// <summary>Asks the first.</summary>
    public void Begin()
    {
        ulong key = site.Work.Keys[item];
        (RingMember? owner, RingMember? second) = isUpstream
            ? (null, null)
            : NodeCandidates.Before(node.Ring, key, node.Id, node.Strikes.IsOut);
        if (owner is null)
        {
            AskUpstream();
            return;
        }

        void AskSecond()
        {
            if (second is null)
            {
                AskUpstream();
            }
            else
            {
                Ask(site.Find(second.Id), Times.HeadTimeout / 2, AskUpstream);
            }
        }

        Ask(site.Find(owner.Id), Times.HeadTimeout, () =>
        {
            site.Hedges++;
            AskSecond();
        }, AskSecond);
    }

    /// <summary>Asks a node; the next one when it is late (it may still win), refuses or breaks.</summary>
    private void Ask(SimNode other, long patience, Action late, Action? broken = null)
    {
        bool isOver = false;
        void Next(Action next)
        {
            if (!isOver && !_isDone)
            {
                isOver = true;
                next();
            }
        }

        if (!other.IsUp)
        {
            node.Strikes.Refused(other.Id);
            node.After(2 * Times.Hop, () => Next(broken ?? late));
            return;
        }

        node.After(patience, () =>
        {
            if (!isOver && !_isDone)
            {
                _late.Add(other.Id);
                Next(late);
            }
        });
        other.After(Times.Hop, () =>
        {
            if (other.Has(item))
            {
                Send(other);
                return;
            }

            other.Want(item, isUpstream: true, isHere =>
            {
                if (isHere)
                {
                    Send(other);
                }
                else
                {
                    node.After(Times.Hop, () =>
                    {
                        node.Strikes.Strike(other.Id);
                        Next(broken ?? late);
                    });
                }
            });
        });

        // Connections to a node that is killed meanwhile break, also before it has heard of them.
        site.WhenGone(other, () => node.After(Times.Hop, () => Next(broken ?? late)));
    }

    private void Send(SimNode other)
    {
        if (_isDone)
        {
            return;
        }

        other.ToNodes.Add(site.Clock.Now, site.Work.Sizes[item]);
        node.After(Times.Hop + (site.Work.Sizes[item] / Times.NodeRate), () =>
        {
            if (!_isDone)
            {
                site.Borrowed++;
                node.Strikes.Answered(other.Id);
                Done();
            }
        });
    }

    /// <summary>What this node owns and another one may still hold is asked for there, without its fetching anything.</summary>
    private void AskUpstream()
    {
        if (_isDone || _isUpstreamBegun)
        {
            return;
        }

        _isUpstreamBegun = true;
        if (NodeCandidates.Holder(node.Ring, site.Work.Keys[item], node.Id, isSettled: true, node.Strikes.IsOut) is not { } before)
        {
            AskStratum1();
            return;
        }

        SimNode other = site.Find(before.Id);
        if (!other.IsUp)
        {
            node.Strikes.Refused(other.Id);
            node.After(2 * Times.Hop, AskStratum1);
            return;
        }

        bool hasAnswered = false;
        other.After(Times.Hop, () =>
        {
            hasAnswered = true;
            if (other.Has(item))
            {
                site.Moved++;
                Send(other);
            }
            else
            {
                node.After(Times.Hop, AskStratum1);
            }
        });
        node.After(Times.HeadTimeout / 2, () =>
        {
            if (!hasAnswered && !_isDone)
            {
                node.Strikes.Strike(other.Id);
                AskStratum1();
            }
        });
    }

    private void AskStratum1()
    {
        if (_isDone)
        {
            return;
        }

        node.Enter(item, () =>
        {
            site.CountUpstream(item);
            node.After(Times.Upstream + (site.Work.Sizes[item] / Times.UpstreamRate), () =>
            {
                node.Leave(item);
                if (!_isDone)
                {
                    Done();
                }
            });
        });
    }

    private void Done()
    {
        foreach (string late in _late)
        {
            node.Strikes.Strike(late);
        }

        node.Take(this);
        End(true);
    }

    private void End(bool isHere)
    {
        _isDone = true;
        foreach (Action<bool> told in _told)
        {
            told(isHere);
        }

        _told.Clear();
    }
}
