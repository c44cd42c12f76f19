using Breakwater.CacheStore.Log;
using Breakwater.TestSupport;

namespace Breakwater.CacheStore.Tests.Log;

public sealed class RecentReadsTests
{
    [Fact]
    public async Task Contains_WhatWasReadAMomentAgo_NothingElseAndNotForLong()
    {
        RecentReads reads = new();
        ulong tag = RecentReads.TagOf(1 << 30, 4_096);
        Assert.False(reads.Contains(tag));

        reads.Add(tag);

        Assert.True(reads.Contains(tag));
        Assert.False(reads.Contains(RecentReads.TagOf((1 << 30) + 4_096, 4_096)));
        Assert.False(reads.Contains(RecentReads.TagOf(1 << 30, 8_192)));
        await Waiting.UntilAsync(() => !reads.Contains(RecentReads.TagOf(1 << 30, 4_096)));
    }
}
