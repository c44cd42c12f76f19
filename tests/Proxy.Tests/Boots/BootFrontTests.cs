using System.Net;
using Breakwater.Proxy.Boots;

namespace Breakwater.Proxy.Tests.Boots;

/// <summary>The first storm of a repository: nothing is known of whole boots until the first ones end.</summary>
public class BootFrontTests
{
    private const int Objects = 200;
    private readonly BootFeed _feed = new();

    [Fact]
    public void Boot_StopsWhileOthersGoOn_IsNeverDone()
    {
        Begin(vms: 20);
        List<BootState> seen = [];
        for (int second = 0; second < 40; second++)
        {
            ReadOn(second, vms: 1..18, objects: 5);
            ReadOn(second, vms: 18..20, objects: second < 8 ? 5 : 0); // those two stop at object 50
            Pass();
            seen.Add(Of(18));
        }

        Assert.DoesNotContain(BootState.Done, seen);
        Assert.Equal(BootState.Booting, seen[8 + 18]);
        Assert.Equal(BootState.Stopped, seen[8 + 21]);
        StormView storm = _feed.Now.Newest;
        Assert.Equal((17, 0, 2), (storm.Booting, storm.Done, storm.Stopped));
    }

    [Fact]
    public void Boots_ThatStoppedFirst_AreNoMeasureOfTheOthers()
    {
        Begin(vms: 20);
        for (int second = 0; second < 40; second++)
        {
            ReadOn(second, vms: 1..14, objects: 5);
            ReadOn(second, vms: 14..20, objects: second < 8 ? 5 : 0);
            Pass();
        }

        _feed.Pass(seconds: 30);
        StormView storm = _feed.Now.Newest;
        Assert.Equal((0, 13, 6), (storm.Booting, storm.Done, storm.Stopped));
    }

    [Fact]
    public void Boot_WithFewerModules_IsDoneOnceOthersAreWhole()
    {
        Begin(vms: 20);
        ReadOn(9, Enumerable.Range(10, Objects - 10).Where(number => number % 4 != 3));
        for (int second = 0; second < 38; second++)
        {
            ReadOn(second, vms: 1..9, objects: 5);
            ReadOn(second, vms: 10..20, objects: 5);
            Pass();
        }

        _feed.Pass(seconds: 30);
        Assert.Equal(BootState.Done, Of(9));
        Assert.Equal(19, _feed.Now.Newest.Done);
    }

    [Fact]
    public void Boots_ThatEndWhereMostEnd_AreDoneThoughAFewGoOn()
    {
        Begin(vms: 20);
        for (int second = 0; second < 40; second++)
        {
            ReadOn(second, vms: 1..6, objects: 5);
            ReadOn(second, vms: 6..20, objects: second < 8 ? 5 : 0);
            Pass();
        }

        Assert.All(Enumerable.Range(6, 14), vm => Assert.Equal(BootState.Done, Of(vm)));
    }

    [Fact]
    public void Boot_OfAnotherKindThanMost_IsDone()
    {
        Begin(vms: 20);
        ReadOn(19, Enumerable.Range(1000, 30));
        for (int second = 0; second < 38; second++)
        {
            ReadOn(second, vms: 1..19, objects: 5);
            Pass();
        }

        Assert.Equal(BootState.Done, Of(19));
    }

    [Theory]
    [InlineData(3, false)] // two others got further: too few to say so
    [InlineData(4, true)]
    public void Boot_OfFew_IsBehindThree(int vms, bool isStopped)
    {
        Begin(vms + 1);
        for (int second = 0; second < 30; second++)
        {
            ReadOn(second, vms: 1..vms, objects: 5);
            Pass();
        }

        Assert.Equal(isStopped ? BootState.Stopped : BootState.Done, Of(vms));
    }

    [Theory]
    [InlineData(84, true)]
    [InlineData(85, false)]
    public void Boot_OfEightyFiveInAHundred_IsNotBehind(int read, bool isStopped)
    {
        Begin(vms: 10);
        ReadOn(9, Enumerable.Range(10, read - 10));
        for (int vm = 1; vm < 9; vm++)
        {
            ReadOn(vm, Enumerable.Range(10, 90));
        }

        for (int second = 0; second < 25; second++)
        {
            Pass();
            for (int vm = 1; vm < 9; vm++)
            {
                ReadOn(vm, [0]); // they go on, and read nothing new
            }
        }

        Assert.Equal(isStopped ? BootState.Stopped : BootState.Done, Of(9));
    }

    /// <summary>VMs 1 to <paramref name="vms"/> - 1 read the manifest and the first ten objects.</summary>
    private void Begin(int vms)
    {
        for (int vm = 1; vm < vms; vm++)
        {
            _feed.Pump(_feed.Record(vm, null, $"C{vm}", 0, 1));
            ReadOn(vm, Enumerable.Range(0, 10));
        }
    }

    /// <summary>Each of the VMs reads the next objects, five to a second.</summary>
    private void ReadOn(int second, Range vms, int objects)
    {
        for (int vm = vms.Start.Value; vm < vms.End.Value; vm++)
        {
            ReadOn(vm, Enumerable.Range(10 + (second * 5), objects).Where(number => number < Objects));
        }
    }

    private void ReadOn(int vm, IEnumerable<int> objects) =>
        _feed.Pump([.. objects.Select(number => _feed.Record(vm, number, $"C{vm}", 0, 1))]);

    private void Pass() => _feed.Pass(seconds: 1);

    private BootState Of(int vm) => Assert.Single(_feed.Now.Boots, boot => boot.Client.Equals(IPAddress.Parse($"10.0.0.{vm}"))).State;
}
