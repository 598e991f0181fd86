#!/usr/bin/env python3
"""The driver's own arithmetic, and that its pictures are well-formed: driver.py BENCH_DRIVER"""

import sys
import unittest
from xml.etree import ElementTree

sys.path.insert(0, sys.argv[1])

import growth  # noqa: E402
import ranks  # noqa: E402
import table  # noqa: E402
from chart import chart  # noqa: E402
from engines import HEED, ISA, PEERS  # noqa: E402
from floors import all_floors, published  # noqa: E402
from results import Measurement, Series, scaled, slope  # noqa: E402


def series(samples, flop=0.0, size=0.0, check=1.0, ops=0):
    ready = {"flop": flop, "bytes": size, "check": check, "parameters": 0, "ops": ops, "engine": "none"}
    return Series(samples, ready)


def measured(workload="A", threads=1, heed=(2.0, 1.0, 3.0), peak_ms=1.0, **peers):
    """heed has to multiply 1e8; the peak is 1e8 FLOP in peak_ms."""
    return Measurement(
        workload,
        threads,
        series(list(heed), flop=1e8, ops=10),
        {name: series(list(samples), flop=1e8, ops=10) for name, samples in peers.items()},
        {"peak": series([peak_ms] * 3, flop=1e8)},
    )


class Ranks(unittest.TestCase):
    def setUp(self):
        self.network = ranks.Network(latency=1.0, bandwidth=10.0)

    def test_sum_is_the_cheapest_of_three_ways(self):
        # 8 ranks, 800 bytes: doubling 3 (1 + 80), halving 6 + 2 7/8 80, ring 14 + as much
        self.assertEqual(self.network.ways(8, 800), {"doubling": 243, "halving": 146, "ring": 154})
        self.assertAlmostEqual(self.network.one_sum(8, 800), 146)
        # 8 bytes: doubling 3 (1 + 0.8), halving 6 + 1.4
        self.assertAlmostEqual(self.network.one_sum(8, 8), 5.4)
        # 2 ranks: 1 + 10 by doubling, 2 + 10 by the others
        self.assertAlmostEqual(self.network.one_sum(2, 100), 11)
        # 5 ranks: three doublings, not log2 5
        self.assertAlmostEqual(self.network.one_sum(5, 1), 3 * 1.1)

    def test_one_rank_sends_nothing_and_many_send_pieces(self):
        piece = self.network.one_sum(2, ranks.PIECE)
        self.assertAlmostEqual(self.network.gradients(2, 2 * ranks.PIECE + 10), 2 * piece + 2)
        model = ranks.Model("", 25, [1.0], 0.0, batch=8, copying=100.0)
        self.assertEqual(model.sending(1, self.network), 0)
        self.assertAlmostEqual(model.sending(2, self.network), 2 + 11 + 2 * self.network.one_sum(2, 24))

    def test_ranks_are_as_slow_as_the_slowest(self):
        free = ranks.Network(0, 1e30)
        model = ranks.Model("", 25, [1.0, 1.0, 1.0, 2.0], 0.5, batch=8, copying=1e30)
        self.assertAlmostEqual(model.step(1, free), 1.75, delta=0.05)
        self.assertAlmostEqual(model.step(1000, free), 2.5, delta=1e-9)
        self.assertAlmostEqual(model.speedup(8, ranks.Network(0, 1e30)), 1.75 / (0.5 + 0.125 * 1.9), delta=0.1)

    def test_more_work_between_sums_is_more_efficient(self):
        model = ranks.Model("", 25, [10.0], 0.0, batch=8, copying=1e30)
        once, often = (model.efficiency(8, self.network, accumulate=k) for k in (1, 16))
        self.assertAlmostEqual(once, 10 / (10 + model.sending(8, self.network)))
        self.assertAlmostEqual(often, 160 / (160 + model.sending(8, self.network)))


class Results(unittest.TestCase):
    def test_ratio_is_of_medians_and_of_minima(self):
        m = measured(PyTorch=(9.0, 8.0, 4.0))
        self.assertEqual(m.ratio("PyTorch"), 4.0)
        self.assertEqual(m.ratio("PyTorch", lambda s: s.least), 4.0)

    def test_best_peer_is_the_fastest_median(self):
        self.assertEqual(measured(oneDNN=(3, 3, 3), Eigen=(1, 4, 4)).best_peer, "oneDNN")
        self.assertIsNone(measured().best_peer)

    def test_share_is_of_the_bound_measured_in_the_same_rounds(self):
        m = measured(peak_ms=0.5)  # so the products take 0.5 ms, and heed 2
        self.assertEqual((m.bound, m.share, m.gigaflops), (0.5, 0.25, 200))

    def test_bytes_are_held_against_the_triad(self):
        m = Measurement("F-exp", 1, series([4.0], size=30), {}, {"triad": series([2.0], size=60)})
        self.assertEqual((m.bound, m.share), (1.0, 0.25))

    def test_an_engine_that_computes_something_else_is_told(self):
        m = measured(PyTorch=(1, 1, 1))
        self.assertEqual(list(m.disagreements()), [])
        m.peers["PyTorch"].ready["check"] = 1.0005
        self.assertEqual(list(m.disagreements()), [])
        m.peers["PyTorch"].ready["check"] = 1.01
        self.assertEqual(list(m.disagreements()), ["A, 1 thread: check is 1, PyTorch has 1.01"])

    def test_scaling(self):
        self.assertAlmostEqual(scaled(3.6, published_peak=104, peak=208), 1.8)

    def test_slope_of_a_power_is_its_exponent(self):
        xs = [128, 256, 512, 1024]
        self.assertAlmostEqual(slope(xs, [3 * x**2 for x in xs]), 2)
        self.assertAlmostEqual(slope(xs, [7 for _ in xs]), 0)


class Floors(unittest.TestCase):
    def texts(self, *measurements):
        return [str(f) for f in all_floors(measurements)]

    def test_pytorch_and_dynet(self):
        lines = self.texts(measured("A", PyTorch=(9.2, 9.2, 9.2)))
        self.assertEqual(lines[0], "met      A, 1 thread: times PyTorch: 4.6, at least 4.5")
        # 3.6 ms at 104 GFLOP/s are 3.744 ms at 100
        self.assertEqual(lines[1], "met      A, 1 thread: times DyNet's scaled figure: 1.87, at least 1.5")
        [(_, who, time, _)] = published([measured("A")])
        self.assertEqual((who, round(time, 3)), ("DyNet", 3.744))

    def test_rows_and_products_against_the_best(self):
        lines = self.texts(measured("G-64", OpenBLAS=(2.1, 2.1, 2.1), BLIS=(1.7, 1.7, 1.7)))
        self.assertIn("NOT MET  G-64: times the best peer, BLIS: 0.85, at least 0.9", lines)
        self.assertIn("met      G-64: times OpenBLAS: 1.05, at least 1", lines)

    def test_an_op_may_take_so_long(self):
        self.assertEqual(self.texts(measured("E")), ["NOT MET  E: ns per primitive op: 2e+05, at most 100"])
        self.assertEqual(self.texts(measured("E", heed=(8e-4,))), ["met      E: ns per primitive op: 80, at most 100"])

    def test_a_start_may_take_so_long(self):
        self.assertEqual([f.met for ms in (49, 51) for f in all_floors([], ms)], [True, False])

    def test_threads(self):
        lines = self.texts(measured("C", 1), measured("C", 2, heed=(1, 1, 1)))
        self.assertIn("met      C: 2 threads against 1: 2, at least 1.7", lines)


class Printing(unittest.TestCase):
    def test_numbers_have_four_digits(self):
        shown = [table.number(x) for x in (0.00012344, 0.5, 1.5, 12.344, 123.44, 4321.4)]
        self.assertEqual(shown, ["0.0001234", "0.5000", "1.500", "12.34", "123.4", "4321"])

    def test_a_line_for_each_peer(self):
        lines = list(table.lines_of(measured("F-tanh", PyTorch=(4, 4, 4), Eigen=(1, 1, 1))))
        self.assertEqual(lines[0].split(), "F-tanh 1 2.000 1.000 50% PyTorch 4.000 4.000 2.00 4.00".split())
        self.assertEqual(lines[1].split(), "Eigen 1.000 1.000 0.50 1.00".split())
        self.assertEqual(len(lines[0]), len(lines[1]))
        self.assertEqual(len(lines[0]), len(table.HEADER))


class Pictures(unittest.TestCase):
    def shapes(self, picture):
        tree = ElementTree.fromstring(picture)
        self.assertTrue(tree.tag.endswith("svg"))
        width, height = float(tree.get("width")), float(tree.get("height"))
        for element in tree.iter():
            for key, limit in (("x", width), ("x1", width), ("cx", width), ("y", height), ("cy", height)):
                if element.get(key) is not None:
                    self.assertTrue(0 <= float(element.get(key)) <= limit, ElementTree.tostring(element))
        return [e.text for e in tree.iter() if e.tag.endswith("text")]

    def test_chart(self):
        wild = [measured(w, t, Eigen=[r] * 3) for w, t, r in (("A", 1, 1e-3), ("A", 2, 9), ("E & F<", 1, 1e6))]
        texts = self.shapes(chart(wild, "a processor"))
        self.assertIn("A, 2 threads", texts)
        self.assertIn("4.50  Eigen", texts)
        self.assertIn("E & F<, 1 thread", texts)
        self.assertIsNone(chart([measured()], ""))

    def test_growth(self):
        lines = [f"tiled {n} {n * n * 1e-4} {n * 1000}" for n in (128, 256, 512)] + ["gru 32 1.5 900"]
        read = growth.read(lines)
        self.assertIn("slope 2.00", self.shapes(growth.picture(read, "a processor")))
        self.assertIn("1.00", list(growth.table("tiled", read["tiled"]))[-1].split())


class Engines(unittest.TestCase):
    def test_an_isa_holds_every_program(self):
        for engine in PEERS.values():
            self.assertIn("BLIS_ARCH_TYPE", ISA["avx2"])
            self.assertEqual(engine.path("b", "avx2").name.endswith("_avx2"), engine.by_isa)
        environment = HEED.environment(2, "avx2")
        self.assertEqual((environment["HEED_ARCH"], environment["OMP_NUM_THREADS"]), ("avx2", "2"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
