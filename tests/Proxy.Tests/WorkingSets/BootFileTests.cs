using System.Net;
using System.Text;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.WorkingSets;

namespace Breakwater.Proxy.Tests.WorkingSets;

/// <summary>Recorded boots as nodes give them to each other.</summary>
public sealed class BootFileTests
{
    [Fact]
    public void Read_OfWhatWasWritten_IsTheSameToTheMillisecond()
    {
        RecordedBoot boot = new(MiniOs.Fqrn,
            [.. MiniOs.BootObjects(1).Take(9).Select((key, i) => new BootRead(key, TimeSpan.FromMilliseconds(i * 1000.2)))])
        {
            Id = 7,
            Client = IPAddress.Parse("2001:db8::1"),
            IsCut = true,
        };

        IReadOnlyList<RecordedBoot> back =
            BootFile.Read(MiniOs.Fqrn, BootFile.Write([boot, new RecordedBoot(MiniOs.Fqrn, [])]))!;

        Assert.Equal([(7L, boot.Client, true), (0L, null, false)], back.Select(one => (one.Id, one.Client, one.IsCut)));
        Assert.All(back, one => Assert.Equal(MiniOs.Fqrn, one.Repository));
        Assert.Equal(boot.Reads.Select((read, i) => new BootRead(read.Key, TimeSpan.FromSeconds(i) + TimeSpan.FromMilliseconds(
            Math.Round(i * 0.2)))), back[0].Reads);
        Assert.Empty(back[1].Reads);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("[null]")]
    [InlineData("""[{"reads":[null]}]""")]
    [InlineData("""[{"reads":["11f6ad8ec52a2984abaafd7c3b516503785c2072"]}]""")]
    [InlineData("""[{"reads":["11f6ad8ec52a2984abaafd7c3b516503785c2072 "]}]""")]
    [InlineData("""[{"reads":["11f6ad8ec52a2984abaafd7c3b516503785c2072 -1"]}]""")]
    [InlineData("""[{"reads":["11f6ad8ec52a2984abaafd7c3b516503785c2072 1.5"]}]""")]
    [InlineData("""[{"reads":["nokey 1"]}]""")]
    [InlineData("""[{"reads":[" 1"]}]""")]
    public void Read_SomethingElse_IsNone(string json) => Assert.Null(BootFile.Read(MiniOs.Fqrn, Encoding.UTF8.GetBytes(json)));

    [Theory]
    [InlineData("null", 0)]
    [InlineData("[]", 0)]
    [InlineData("[{}]", 1)]
    [InlineData("""[{"client":"nobody","reads":["11f6ad8ec52a2984abaafd7c3b516503785c2072 0"]}]""", 1)]
    public void Read_WithoutWhatMayBeMissing_IsRead(string json, int boots)
    {
        IReadOnlyList<RecordedBoot> read = BootFile.Read(MiniOs.Fqrn, Encoding.UTF8.GetBytes(json))!;

        Assert.Equal(boots, read.Count);
        Assert.All(read, boot => Assert.Equal((0, null, false), (boot.Id, boot.Client, boot.IsCut)));
    }
}
