// The page's half of the yardstick in jpeg_reference.py.
export default {
  render({ model, el }) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = model.get("size");
    const brush = canvas.getContext("2d", { alpha: false });
    canvas.style.cssText = `width:${canvas.width}px;height:${canvas.height}px`;
    el.dataset.phase = "live";
    el.dataset.transport = "jpeg-comm-reference";
    el.append(canvas);
    let wanted = model.get("first");
    let asked = -1;
    let unanswered = 0;
    const ask = () => {
      if (unanswered >= 2 || asked === wanted) return;
      asked = wanted;
      unanswered += 1;
      model.send({ slice_idx: wanted });
    };
    model.on("msg:custom", async ({ slice_idx }, [jpeg]) => {
      const image = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
      brush.drawImage(image, 0, 0);
      image.close();
      unanswered -= 1;
      ask();
    });
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const last = model.get("n_slices") - 1;
      wanted = Math.min(last, Math.max(0, wanted + Math.sign(event.deltaY)));
      ask();
    });
    ask();
  },
};
